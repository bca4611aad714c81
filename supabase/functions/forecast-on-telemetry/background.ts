/** Work that goes on after the answer, and the log in which its failures are not lost. */

interface EdgeRuntime {
  waitUntil(promise: Promise<unknown>): void;
}

/** Supabase's runtime ends an idle worker unless it knows of the work; plain Deno does not. */
const runtime = (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime;

/** Lets work go on when the request that began it has been answered or has hung up. */
export function inBackground(work: Promise<unknown>): void {
  const settled = work.then(() => {}, () => {}); // whoever waits for the work sees its failure
  runtime?.waitUntil(settled);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line of JSON. Supabase's log viewer shows it with its level. */
export function logError(event: string, fields: Fields): void {
  console.error(JSON.stringify({ event, ...fields }));
}

export function logInfo(event: string, fields: Fields): void {
  console.info(JSON.stringify({ event, ...fields }));
}
