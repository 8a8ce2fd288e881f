/**
 * A reader of OTLP's protobuf, by the field numbers of open-telemetry/opentelemetry-proto v1.9. It gives what OTLP/JSON
 * would hold: camel case, ids in hex, 64-bit numbers as text.
 */
export function readOtlp(signal: "traces" | "metrics", bytes: Buffer): object {
  return readMessage(signal === "traces" ? TRACES : METRICS, bytes);
}

type Type = "text" | "hex" | "varint" | "bool" | "fixed64" | "fixed32" | "double" | "fixed64s" | "doubles" | Schema;
/** Field number → name and type; `[]` repeats. */
type Schema = { [number: number]: [name: string, type: Type | (() => Schema), repeated?: "[]"] };

const KEY_VALUE: Schema = { 1: ["key", "text"], 2: ["value", () => ANY_VALUE] };
const ANY_VALUE: Schema = {
  1: ["stringValue", "text"],
  2: ["boolValue", "bool"],
  3: ["intValue", "varint"],
  4: ["doubleValue", "double"],
  5: ["arrayValue", { 1: ["values", () => ANY_VALUE, "[]"] }],
};
const RESOURCE: Schema = { 1: ["attributes", KEY_VALUE, "[]"] };
const SCOPE: Schema = { 1: ["name", "text"], 2: ["version", "text"] };

const SPAN: Schema = {
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  3: ["traceState", "text"],
  4: ["parentSpanId", "hex"],
  5: ["name", "text"],
  6: ["kind", "varint"],
  7: ["startTimeUnixNano", "fixed64"],
  8: ["endTimeUnixNano", "fixed64"],
  9: ["attributes", KEY_VALUE, "[]"],
  15: ["status", { 2: ["message", "text"], 3: ["code", "varint"] }],
};
const TRACES: Schema = {
  1: [
    "resourceSpans",
    { 1: ["resource", RESOURCE], 2: ["scopeSpans", { 1: ["scope", SCOPE], 2: ["spans", SPAN, "[]"] }, "[]"] },
    "[]",
  ],
};

const NUMBER_POINT: Schema = {
  4: ["asDouble", "double"],
  6: ["asInt", "fixed64"],
  7: ["attributes", KEY_VALUE, "[]"],
};
const HISTOGRAM_POINT: Schema = {
  4: ["count", "fixed64"],
  5: ["sum", "double"],
  6: ["bucketCounts", "fixed64s"],
  7: ["explicitBounds", "doubles"],
  9: ["attributes", KEY_VALUE, "[]"],
};
const METRIC: Schema = {
  1: ["name", "text"],
  3: ["unit", "text"],
  5: ["gauge", { 1: ["dataPoints", NUMBER_POINT, "[]"] }],
  7: ["sum", { 1: ["dataPoints", NUMBER_POINT, "[]"], 3: ["isMonotonic", "bool"] }],
  9: ["histogram", { 1: ["dataPoints", HISTOGRAM_POINT, "[]"] }],
};
const METRICS: Schema = {
  1: [
    "resourceMetrics",
    { 1: ["resource", RESOURCE], 2: ["scopeMetrics", { 1: ["scope", SCOPE], 2: ["metrics", METRIC, "[]"] }, "[]"] },
    "[]",
  ],
};

function readMessage(schema: Schema, bytes: Buffer): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  let at = 0;
  while (at < bytes.length) {
    const tag = varint();
    const [name, type, repeated] = schema[Number(tag >> 3n)] ?? [];
    const raw = field(Number(tag & 7n));
    if (name === undefined || type === undefined) continue;
    const value = readField(typeof type === "function" ? type() : type, raw);
    if (repeated) message[name] = [...((message[name] as unknown[]) ?? []), value];
    else message[name] = value;
  }
  return message;

  function varint(): bigint {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  }

  function field(wire: number): Buffer | bigint {
    if (wire === 0) return varint();
    const length = wire === 1 ? 8 : wire === 5 ? 4 : Number(varint());
    if (at + length > bytes.length) throw new RangeError("a field is longer than its message");
    at += length;
    return bytes.subarray(at - length, at);
  }
}

function readField(type: Type, raw: Buffer | bigint): unknown {
  if (typeof raw === "bigint") return type === "bool" ? raw === 1n : Number(raw);
  switch (type) {
    case "text":
      return raw.toString();
    case "hex":
      return raw.toString("hex");
    case "double":
      return raw.readDoubleLE();
    case "fixed64":
      return String(raw.readBigInt64LE());
    case "fixed64s":
      return Array.from({ length: raw.length / 8 }, (_, i) => String(raw.readBigInt64LE(i * 8)));
    case "doubles":
      return Array.from({ length: raw.length / 8 }, (_, i) => raw.readDoubleLE(i * 8));
    default:
      if (typeof type === "string") throw new TypeError(`bytes where ${type} should be`);
      return readMessage(type, raw);
  }
}
