import { formatCount, formatShare } from "#app/_ui/format.ts";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { type SpendSums, TOKEN_KINDS, type TokenKind } from "#db/queries/spend-sums.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { addMoney } from "#lib/money.ts";

interface Part {
  tokens: number;
  usd: string;
}

const KIND_NAMES: Record<TokenKind, string> = { input: "Input", cached: "Cached input", output: "Output" };
const NOTHING: Part = { tokens: 0, usd: "0" };

/** What kind of token the money went to. Its sum is the tile. */
export function TokenMatrix({ total }: { total: SpendSums }) {
  const rows = MODALITIES.map(({ name, label }) => ({
    name,
    label,
    parts: TOKEN_KINDS.map((kind) => total.cells[name][kind]),
  }));
  const columns = TOKEN_KINDS.map((_, i) => rows.map(({ parts }) => parts[i] ?? NOTHING).reduce(add, NOTHING));
  return (
    <section aria-labelledby="matrix-title" className="min-w-0">
      <h2 id="matrix-title" className="text-lg font-semibold">
        What cost it?
      </h2>
      <p className="text-muted">
        USD, tokens, and share of spend. Input is without what was read from the cache. What is billed by seconds,
        characters or images has no tokens; fees are those of hosted tools, searches and containers.
      </p>
      <ScrollBox name="Spend by token kind and modality">
        <table className="figures mt-1" data-testid="table-matrix">
          <thead>
            <tr>
              <th scope="col">Modality</th>
              {TOKEN_KINDS.map((kind) => (
                <th key={kind} scope="col">
                  {KIND_NAMES[kind]}
                </th>
              ))}
              <th scope="col">Together</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, label, parts }) => (
              <tr key={name}>
                <th scope="row">{label}</th>
                {[...parts, parts.reduce(add, NOTHING)].map((part, i) => (
                  <MatrixCell key={TOKEN_KINDS[i] ?? "together"} part={part} total={total} />
                ))}
              </tr>
            ))}
            <tr data-testid="row-fees">
              <th scope="row">Fees</th>
              {TOKEN_KINDS.map((kind) => (
                <td key={kind} />
              ))}
              <MatrixCell part={{ tokens: 0, usd: total.feesUsd }} total={total} />
            </tr>
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Together</th>
              {[...columns, columns.reduce(add, { tokens: 0, usd: total.feesUsd })].map((part, i) => (
                <MatrixCell key={TOKEN_KINDS[i] ?? "together"} part={part} total={total} />
              ))}
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
    </section>
  );
}

function MatrixCell({ part, total }: { part: Part; total: SpendSums }) {
  if (part.tokens === 0 && Number(part.usd) === 0) return <td className="text-muted">0</td>;
  return (
    <td>
      <span className="block">
        <Money usd={part.usd} unknownCalls={part.tokens > 0 ? total.callsUnpriced : 0} />
      </span>
      <span className="block text-xs font-normal text-muted">
        {part.tokens > 0 && `${formatCount(part.tokens)} · `}
        {formatShare(Number(part.usd), Number(total.costUsd))}
      </span>
    </td>
  );
}

const add = (a: Part, b: Part): Part => ({ tokens: a.tokens + b.tokens, usd: addMoney(a.usd, b.usd) });
