/** What people write beside a thumb. The last of the complaints is what a spreadsheet would take for a formula. */
export const PRAISE = [
  "Exactly what I needed.",
  "Quick and clear, thank you!",
  "👍 super",
  "Good tone this time.",
] as const;
export const COMPLAINTS = [
  "This is not what I asked.",
  "Wrong order, and far too cheerful.",
  "It asks me a question instead of helping.",
  "Cites a page that says the opposite.",
  "Too long; didn't read.",
  "Antwort leider auf Englisch.",
  '=HYPERLINK("http://example.com/refund","Claim your refund")',
] as const;
export const LABELS = ["wrong facts", "tone", "too long", "language", "missing source"] as const;
export const CORRECTIONS = [
  '{"total":"1284.50","currency":"EUR"}',
  '{"date":"2026-10-12"}',
  '{"number":"INV-88231"}',
] as const;
