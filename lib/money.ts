/**
 * US dollars as decimal strings ("0.00016", "-1.5", "0"), calculated with integers and never as floats. An amount has at
 * most 12 decimals and no trailing zeros; more decimals, or what is no decimal, is a RangeError.
 */

const DECIMALS = 12;

/**
 * What a quantity costs at `usd` per `per`: rounded once, half even, to 12 decimals. The quantity is what its decimal
 * text says (0.1 is a tenth), neither negative nor NaN or infinite, and an integer only as long as a number holds it exactly.
 */
export function costOf(quantity: number, usd: string, per: number): string {
  if (!Number.isSafeInteger(per) || per <= 0) throw new RangeError(`a price is per a positive integer, not ${per}`);
  const count = parseQuantity(quantity);
  const price = parseDecimal(usd);
  if (price.digits < 0n) throw new RangeError(`a price is never negative: ${usd}`);
  const decimals = count.decimals + price.decimals;
  const cost = count.digits * price.digits;
  return format(
    decimals <= DECIMALS
      ? divideHalfEven(cost * powerOfTen(DECIMALS - decimals), BigInt(per))
      : divideHalfEven(cost, BigInt(per) * powerOfTen(decimals - DECIMALS)),
  );
}

/**
 * What one unit costs at `usd` per `per`, for reading: exact where 18 decimals can say it, as all prices per 1,000,000 can, else rounded half
 * even there. Costs are never calculated from it.
 */
export function unitPrice(usd: string, per: number): string {
  if (!Number.isSafeInteger(per) || per <= 0) throw new RangeError(`a price is per a positive integer, not ${per}`);
  const { digits, decimals } = parseDecimal(usd);
  const scaled = divideHalfEven(digits * powerOfTen(UNIT_DECIMALS - decimals), BigInt(per));
  const text = scaled.toString().padStart(UNIT_DECIMALS + 1, "0");
  const fraction = text.slice(-UNIT_DECIMALS).replace(/0+$/, "");
  return `${text.slice(0, -UNIT_DECIMALS)}${fraction && `.${fraction}`}`;
}

const UNIT_DECIMALS = 18;

/** A price after a discount or with a markup: exact, and rounded half even only where it would have more than 12 decimals. */
export function multiplyMoney(usd: string, factor: string): string {
  const [price, times] = [parseDecimal(usd), parseDecimal(factor)];
  if (price.digits < 0n || times.digits < 0n) throw new RangeError(`neither is ever negative: ${usd}, ${factor}`);
  const decimals = price.decimals + times.decimals;
  const digits = price.digits * times.digits;
  return format(
    decimals <= DECIMALS
      ? digits * powerOfTen(DECIMALS - decimals)
      : divideHalfEven(digits, powerOfTen(decimals - DECIMALS)),
  );
}

export const addMoney = (a: string, b: string): string => format(parseMoney(a) + parseMoney(b));

export const subtractMoney = (a: string, b: string): string => format(parseMoney(a) - parseMoney(b));

/** The value is digits / 10^decimals. */
interface Decimal {
  digits: bigint;
  decimals: number;
}

function parseQuantity(quantity: number): Decimal {
  if (quantity < 0) throw new RangeError(`a quantity is never negative: ${quantity}`);
  if (Number.isSafeInteger(quantity)) return { digits: BigInt(quantity), decimals: 0 };
  if (Number.isInteger(quantity)) throw new RangeError(`${quantity} is beyond what a number holds exactly`);
  return parseDecimal(String(quantity));
}

/** Takes exponents too: JavaScript writes small numbers as 1e-7. */
function parseDecimal(text: string): Decimal {
  const match = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d{1,3}))?$/.exec(text);
  if (!match) throw new RangeError(`not a decimal: ${text}`);
  const [, whole = "", fraction = "", exponent = "0"] = match;
  const digits = BigInt(whole + fraction);
  const decimals = fraction.length - Number(exponent);
  return decimals < 0 ? { digits: digits * powerOfTen(-decimals), decimals: 0 } : { digits, decimals };
}

/** In units of the last decimal. */
function parseMoney(text: string): bigint {
  const { digits, decimals } = parseDecimal(text);
  if (decimals <= DECIMALS) return digits * powerOfTen(DECIMALS - decimals);
  const rest = powerOfTen(decimals - DECIMALS);
  if (digits % rest !== 0n) throw new RangeError(`more than ${DECIMALS} decimals: ${text}`);
  return digits / rest;
}

const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/** Of a dividend that is not negative. */
function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twiceRest = (dividend % divisor) * 2n;
  const up = twiceRest > divisor || (twiceRest === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function format(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(DECIMALS + 1, "0");
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${digits.slice(0, -DECIMALS)}${fraction && `.${fraction}`}`;
}
