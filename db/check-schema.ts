import { assertMigrated } from "./assert-migrated.ts";
import { open } from "./connect.ts";
import { StoreError } from "./store-error.ts";

/**
 * Before a process that only reads starts: is the schema its version's? A database that does not answer, or lets nobody in, is no
 * other schema: the pages say what is wrong then.
 * @throws StoreError
 */
export async function checkSchema(url: string): Promise<void> {
  const sql = open(url, 1);
  try {
    await assertMigrated(sql);
  } catch (error) {
    if (error instanceof StoreError) throw error;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
