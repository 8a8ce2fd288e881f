import type { Modality } from "#lib/modalities.ts";

/** Seven steps per modality, from few to many: lightness changes one way only, so they can be told apart without their hue. */
const LIGHT: Record<Modality, readonly string[]> = {
  text: ["#ecf2fc", "#c4d8fd", "#96bbfe", "#6398fd", "#3f75dd", "#1f53b8", "#002e8e"],
  image: ["#feeee6", "#fecbaf", "#fda16b", "#e37c3a", "#be5a0a", "#904100", "#5e2903"],
  audio: ["#feedf1", "#fdc6d4", "#ff96b4", "#e96b94", "#c24973", "#9d2454", "#6f0135"],
};
const DARK: Record<Modality, readonly string[]> = {
  text: ["#001754", "#0d317a", "#284e99", "#466fbd", "#6591e1", "#91b7fe", "#cedffd"],
  image: ["#2d1b00", "#4d3202", "#6f4a06", "#986603", "#bd8630", "#e4ac59", "#fed7a3"],
  audio: ["#41001c", "#6a0232", "#8c264c", "#b1486b", "#d66a8b", "#fe91b1", "#ffd0db"],
};

export const HEAT_STEPS = 7;

/** The colour of a step from 1 to HEAT_STEPS. */
export const heatColour = (modality: Modality, step: number): string =>
  `light-dark(${LIGHT[modality][step - 1]}, ${DARK[modality][step - 1]})`;
