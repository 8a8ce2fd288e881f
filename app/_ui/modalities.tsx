import { MODALITIES, type Modality } from "#lib/modalities.ts";

const LABEL_COLOUR: Record<Modality, string> = {
  text: "text-[color:var(--text)]",
  image: "text-[color:var(--image-label)]",
  audio: "text-[color:var(--audio)]",
};

/** Which modalities went in and came out, as small icons with their names behind them. */
export function Modalities({ input, output }: { input: readonly Modality[]; output: readonly Modality[] }) {
  const names = (set: readonly Modality[]) => set.join(" and ") || "unknown";
  return (
    <span title={`In: ${names(input)} · out: ${names(output)}`}>
      <span className="sr-only">
        {names(input)} in, {names(output)} out
      </span>
      <span aria-hidden="true" className="inline-flex items-center gap-1">
        <Icons set={input} />
        <span className="text-muted">→</span>
        <Icons set={output} />
      </span>
    </span>
  );
}

function Icons({ set }: { set: readonly Modality[] }) {
  if (!set.length) return <span className="text-muted">–</span>;
  return MODALITIES.filter(({ name }) => set.includes(name)).map(({ name }) => <ModalityIcon key={name} name={name} />);
}

export function ModalityIcon({ name }: { name: Modality }) {
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" className={LABEL_COLOUR[name]} aria-hidden="true">
      <path
        d={SHAPES[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** A letter, a picture and a note, drawn: the glyphs of MODALITIES are missing from many fonts. */
const SHAPES: Record<Modality, string> = {
  text: "M3 4V3h8v1M7 3v8M5.5 11h3",
  image: "M2 3h10v8H2zM2.5 10 6 6.5 8 8.5 9.5 7 11.5 9",
  audio: "M5 10.5V3l6-1v7.5M5 10.5a1.5 1.3 0 1 1-3 0 1.5 1.3 0 0 1 3 0M11 9.5a1.5 1.3 0 1 1-3 0 1.5 1.3 0 0 1 3 0",
};
