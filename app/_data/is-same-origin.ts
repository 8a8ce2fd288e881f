/**
 * Was a request sent by a page of this dashboard? A page elsewhere can make a visitor's browser post here; browsers then say
 * so in one of these headers. A program that sends neither is not a browser, and has no visitor's rights to misuse.
 */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const origin = headers.get("origin");
  if (origin === null) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.get("host");
}
