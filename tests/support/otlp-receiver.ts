import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { readOtlp } from "./otlp-wire.ts";

type Attribute = string | number | boolean | Attribute[];

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** null: the first of its trace. */
  parentSpanId: string | null;
  name: string;
  /** 3 is CLIENT. */
  kind: number;
  startNano: bigint;
  endNano: bigint;
  attributes: Record<string, Attribute>;
  /** 0 unset, 2 error. */
  status: { code: number; message: string | null };
  scope: string;
  resource: Record<string, Attribute>;
}

export interface ReceivedPoint {
  attributes: Record<string, Attribute>;
  /** Counters and gauges. */
  value: number | null;
  histogram: { count: number; sum: number; bounds: number[]; buckets: number[] } | null;
}

export interface ReceivedMetric {
  name: string;
  unit: string;
  points: ReceivedPoint[];
}

/** `unavailable` answers 503 with Retry-After, `refuses` 400; `hangs` reads and never answers. */
export type Mode = "takes" | "unavailable" | "refuses" | "resets" | "hangs" | { slowMs: number };

export interface OtlpReceiver {
  url: string;
  mode: Mode;
  /** Of what was taken, in order. */
  spans: ReceivedSpan[];
  /** Of each service's newest export: sums are cumulative. */
  readonly metrics: ReceivedMetric[];
  requests: { path: string; contentType: string; encoding: string }[];
  stop(): Promise<void>;
}

/** A collector: takes OTLP over HTTP as protobuf or JSON, compressed or not, and decodes all of it. */
export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const server = createServer((req, res) => void receive(req, res).catch(() => res.writeHead(400).end()));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const metrics = new Map<unknown, ReceivedMetric[]>();
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: "takes",
    spans: [],
    get metrics() {
      return [...metrics.values()].flat();
    },
    requests: [],
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return receiver;

  async function receive(req: IncomingMessage, res: ServerResponse) {
    const { mode } = receiver;
    const contentType = req.headers["content-type"] ?? "";
    const encoding = req.headers["content-encoding"] ?? "identity";
    const body = Buffer.concat(await Array.fromAsync(req as AsyncIterable<Buffer>));
    receiver.requests.push({ path: req.url as string, contentType, encoding });
    if (mode === "hangs") return;
    if (mode === "resets") return void req.socket.resetAndDestroy();
    if (mode === "unavailable") return void res.writeHead(503, { "retry-after": "60" }).end();
    if (mode === "refuses") return void res.writeHead(400).end();
    if (typeof mode === "object") await sleep(mode.slowMs);
    const bytes = encoding === "gzip" ? gunzipSync(body) : body;
    const signal = req.url === "/v1/traces" ? "traces" : "metrics";
    const json = contentType.startsWith("application/json");
    const message = json ? JSON.parse(bytes.toString()) : readOtlp(signal, bytes);
    if (signal === "traces") receiver.spans.push(...readSpans(message));
    else for (const [service, ofService] of readMetrics(message)) metrics.set(service, ofService);
    res.writeHead(200, { "content-type": contentType }).end(json ? "{}" : "");
  }
}

// OTLP/JSON, as far as it is looked at. Empty lists and zeros may be left out.

interface Value {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: number | string;
  doubleValue?: number;
  arrayValue?: { values?: Value[] };
}
type Attributes = { key: string; value: Value }[];
interface Scope {
  name: string;
  version: string;
}

interface TracesMessage {
  resourceSpans?: {
    resource: { attributes: Attributes };
    scopeSpans?: { scope: Scope; spans?: SpanMessage[] }[];
  }[];
}
interface SpanMessage {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attributes;
  status?: { code?: number; message?: string };
}

interface MetricsMessage {
  resourceMetrics?: { resource: { attributes: Attributes }; scopeMetrics?: { metrics?: MetricMessage[] }[] }[];
}
type MetricMessage = { name: string; unit: string } & Partial<
  Record<"sum" | "gauge" | "histogram", { dataPoints?: PointMessage[] }>
>;
interface PointMessage {
  attributes?: Attributes;
  asInt?: number | string;
  asDouble?: number;
  count?: number | string;
  sum?: number;
  bucketCounts?: (number | string)[];
  explicitBounds?: number[];
}

const readSpans = ({ resourceSpans = [] }: TracesMessage): ReceivedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ scope, spans = [] }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || null,
        name: span.name,
        kind: span.kind,
        startNano: BigInt(span.startTimeUnixNano),
        endNano: BigInt(span.endTimeUnixNano),
        attributes: readAttributes(span.attributes),
        status: { code: span.status?.code ?? 0, message: span.status?.message || null },
        scope: `${scope.name} ${scope.version}`,
        resource: readAttributes(resource.attributes),
      })),
    ),
  );

const readMetrics = ({ resourceMetrics = [] }: MetricsMessage) =>
  resourceMetrics.map(({ resource, scopeMetrics = [] }): [unknown, ReceivedMetric[]] => [
    readAttributes(resource.attributes)["service.name"],
    scopeMetrics.flatMap(({ metrics = [] }) =>
      metrics.map(({ name, unit, sum, gauge, histogram }) => ({
        name,
        unit,
        points: ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map((point) => ({
          attributes: readAttributes(point.attributes),
          value: histogram ? null : Number(point.asInt ?? point.asDouble),
          histogram: histogram ? readHistogram(point) : null,
        })),
      })),
    ),
  ]);

const readHistogram = ({ count, sum, explicitBounds, bucketCounts }: PointMessage) => ({
  count: Number(count),
  sum: sum ?? 0,
  bounds: explicitBounds ?? [],
  buckets: (bucketCounts ?? []).map(Number),
});

const readAttributes = (pairs: Attributes = []): Record<string, Attribute> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, readValue(value)]));

function readValue({ arrayValue, intValue, stringValue, boolValue, doubleValue }: Value): Attribute {
  if (arrayValue) return (arrayValue.values ?? []).map(readValue);
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? boolValue ?? (doubleValue as number);
}
