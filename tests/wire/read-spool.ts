import type { Exchange, RecordedMessage } from "#lib/exchange.ts";
import { readKey } from "#lib/keys.ts";
import { createAssembler } from "#lib/spool/assembler.ts";
import { FRAME, MESSAGE } from "#lib/spool/frames.ts";
import { createSpoolReader } from "#lib/spool/reader.ts";
import { listSpools, spoolKeyFile } from "#lib/spool/spool-dir.ts";

/** Every whole exchange in the spools of a proxy that nobody reads otherwise. */
export function readSpool(dataDir: string): Exchange[] {
  return listSpools(dataDir).flatMap(({ dir }) => {
    const reader = createSpoolReader(dir, readKey(spoolKeyFile(dataDir)), { segment: 0, offset: 0 });
    const assembler = createAssembler("test");
    const exchanges: Exchange[] = [];
    for (let batch = reader.next(); batch; batch = reader.next()) exchanges.push(...assembler.add(batch).exchanges);
    reader.close();
    return exchanges;
  });
}

export type SpooledMessage = RecordedMessage & { kind: "text" | "binary" | "cut" };

/** Every WebSocket message in the spools of a proxy, by the call's id, in the order in which they were written. */
export function readMessages(dataDir: string): Map<string, SpooledMessage[]> {
  const found = new Map<string, SpooledMessage[]>();
  for (const { dir } of listSpools(dataDir)) {
    const reader = createSpoolReader(dir, readKey(spoolKeyFile(dataDir)), { segment: 0, offset: 0 });
    const ids = new Map<number, string>();
    for (let batch = reader.next(); batch; batch = reader.next())
      for (const { type, seq, at, offset, payload } of batch.frames) {
        if (type === FRAME.start) ids.set(seq, JSON.parse(payload.toString()).id);
        if (type !== FRAME.clientMessage && type !== FRAME.serverMessage) continue;
        const id = ids.get(seq) as string;
        const messages = found.get(id) ?? [];
        found.set(id, messages);
        const kind = ({ [MESSAGE.text]: "text", [MESSAGE.cut]: "cut" } as const)[payload[0] as number] ?? "binary";
        messages.push({
          from: type === FRAME.clientMessage ? "client" : "server",
          atMs: at,
          bytes: offset,
          kind,
          text: kind === "binary" ? null : payload.toString("utf8", 1),
        });
      }
    reader.close();
  }
  return found;
}
