import { CopyButton } from "#app/_ui/copy-button.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";

/** What somebody sees who has just started Omnimeter: everything needed for the first call, and nothing else. */
export function FirstCall({ proxyPort }: { proxyPort: number }) {
  const base = `http://127.0.0.1:${proxyPort}/v1`;
  return (
    <section className="max-w-6xl" data-testid="first-call">
      <p className="text-base">
        Point your OpenAI client at this base URL. Keep your own API key; Omnimeter passes it on and never stores it.
      </p>
      <p className="mt-3 flex max-w-3xl flex-wrap items-center gap-2 rounded-md border border-rule bg-surface px-3 py-2">
        <span className="text-muted">Base URL</span>
        <code className="font-mono text-base">{base}</code>
        <CopyButton text={base} what="base URL" />
      </p>
      <div className="grid items-start gap-x-6 lg:grid-cols-2">
        {SNIPPETS.map(({ name, code }) => (
          <Snippet key={name} name={name} code={code(base)} />
        ))}
      </div>
      <h2 className="mt-6 text-lg font-semibold">Whose call is it?</h2>
      <p className="mt-1 max-w-3xl text-base">
        Name the feature with the header <code className="font-mono">x-omnimeter-feature</code>, as above. It is removed
        before OpenAI sees the request. <code className="font-mono">x-omnimeter-customer</code>,{" "}
        <code className="font-mono">-template</code> and <code className="font-mono">-session</code> work the same way.
        A client that can only set a URL uses{" "}
        <code className="break-all font-mono">{base.replace("/v1", "/f/my-feature/v1")}</code>.
      </p>
    </section>
  );
}

function Snippet({ name, code }: { name: string; code: string }) {
  return (
    <figure className="mt-4 min-w-0 first:lg:col-span-2">
      <figcaption className="mb-1 flex items-center justify-between">
        <span className="font-semibold">{name}</span>
        <CopyButton text={code} what={`${name} example`} />
      </figcaption>
      <ScrollBox name={`${name} example`} className="rounded-md border border-rule bg-surface">
        <pre className="p-3 font-mono text-sm">{code}</pre>
      </ScrollBox>
    </figure>
  );
}

const SNIPPETS = [
  {
    name: "curl",
    code: (base: string) => `curl ${base}/chat/completions \\
  -H "authorization: Bearer $OPENAI_API_KEY" \\
  -H "content-type: application/json" \\
  -H "x-omnimeter-feature: my-feature" \\
  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}'`,
  },
  {
    name: "TypeScript",
    code: (base: string) => `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${base}",
  defaultHeaders: { "x-omnimeter-feature": "my-feature" },
});
const answer = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(answer.choices[0].message.content);`,
  },
  {
    name: "Python",
    code: (base: string) => `from openai import OpenAI

client = OpenAI(
    base_url="${base}",
    default_headers={"x-omnimeter-feature": "my-feature"},
)
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)`,
  },
] as const;
