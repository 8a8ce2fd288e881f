import type { Exchange } from "#lib/exchange.ts";
import { readKey } from "#lib/keys.ts";
import { createAssembler } from "#lib/spool/assembler.ts";
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
