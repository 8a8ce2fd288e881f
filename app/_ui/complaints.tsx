/** What an address asks for and the page does not understand, in sentences. */
export function Complaints({ sentences }: { sentences: readonly string[] }) {
  if (!sentences.length) return null;
  return (
    <ul role="status" className="mb-4 rounded-md border border-warn px-3 py-2 text-warn">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
