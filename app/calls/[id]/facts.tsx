import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatBytes } from "#app/_ui/format.ts";
import { Modalities } from "#app/_ui/modalities.tsx";
import type { CallFacts } from "#db/queries/call-page.ts";
import { type Fact, FactList } from "./fact-list.tsx";
import { traceFact } from "./trace.tsx";

const given = (name: string, value: string | null): Fact | null => (value === null ? null : { name, value });
const id = (name: string, value: string | null): Fact | null => (value === null ? null : { name, value, id: value });

/** Whose call it was. */
export function Attribution({ call }: { call: CallFacts }) {
  const tags = Object.entries(call.tags);
  const version = call.templateVersion === null ? "" : `@${call.templateVersion}`;
  const facts = [
    given("Feature", call.feature),
    given("Customer", call.customer),
    given("End user", call.endUser),
    given("Session", call.session),
    given("Template", call.template && `${call.template}${version}`),
    given("Release", call.release),
    given("Environment", call.environment),
    tags.length > 0 ? { name: "Tags", value: tags.map(([key, value]) => `${key}=${value}`).join(", ") } : null,
  ];
  return (
    <>
      <FactList facts={facts} />
      {call.feature === null && (
        <p className="mt-2 text-muted">
          Send the header <code className="font-mono">x-omnimeter-feature</code> to name the feature of a call.
        </p>
      )}
    </>
  );
}

/** What was asked for and how large it was. */
export function RequestFacts({ call }: { call: CallFacts }) {
  const differs = call.requestModel !== null && call.requestModel !== call.model;
  const tier = call.serviceTier ?? call.requestServiceTier;
  return (
    <FactList
      facts={[
        { name: "Request", value: <code className="font-mono text-xs">{`${call.method} ${call.path}`}</code> },
        { name: "Endpoint", value: endpointName(call.endpoint) },
        given("Upstream", call.upstream),
        given("Model that answered", call.model),
        differs ? given("Model asked for", call.requestModel) : null,
        given("Service tier", tier),
        given("Region", call.region),
        {
          name: "Modalities",
          value: <Modalities input={asModalities(call.inputModalities)} output={asModalities(call.outputModalities)} />,
        },
        // What came out of another exchange was in its bytes.
        call.parentId !== null && call.requestBytes + call.responseBytes === 0
          ? null
          : {
              name: "Size",
              value: `${formatBytes(call.requestBytes)} up, ${formatBytes(call.responseBytes)} down${call.cut ? "; more than is kept, read in part" : ""}`,
            },
        { name: "Streamed", value: call.streamed ? "yes" : "no" },
        call.finishReasons.length > 0 ? { name: "Finish", value: call.finishReasons.join(", ") } : null,
        { name: "Attempt", value: String(call.attempt + 1) },
      ]}
    />
  );
}

/** What to quote to others: each with a button that copies it. */
export function Ids({ call }: { call: CallFacts }) {
  return (
    <FactList
      facts={[
        id("Call id", call.id),
        call.operationId === call.id ? null : id("Operation id", call.operationId),
        id("Response id", call.responseId),
        id("Previous response id", call.previousResponseId),
        id("Conversation id", call.conversationId),
        id("Provider's request id", call.upstreamRequestId),
        id("Client's request id", call.clientRequestId),
        traceFact(call),
        id("Prompt cache key", call.promptCacheKey),
        id("System fingerprint", call.systemFingerprint),
      ]}
    />
  );
}

// The store checks modalities before it takes them.
const asModalities = (names: string[]) => names as Parameters<typeof Modalities>[0]["input"];
