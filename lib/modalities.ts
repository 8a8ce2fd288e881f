/** What tokens can carry. Add a modality: one row; types, labels and colours follow. */
export const MODALITIES = [
  { name: "text", label: "Text", glyph: "T" },
  { name: "image", label: "Image", glyph: "▣" },
  { name: "audio", label: "Audio", glyph: "♪" },
] as const;

export type Modality = (typeof MODALITIES)[number]["name"];
