/**
 * Counts refused requests and writes the sums, so that a flood of them costs a handful of writes.
 *
 * The counts in the database are a lower bound: a worker that is ended takes its last seconds with
 * it, and sums that cannot be written are in the log alone.
 */

import { inBackground, pause } from "./background.ts";
import type { Reason } from "./requests.ts";

const WRITE_EVERY_MS = 10_000;

export class Refusals {
  readonly #counts = new Map<Reason, number>();
  readonly #write: (reason: Reason, times: number) => Promise<void>;
  readonly #failed: (reason: Reason, times: number, error: unknown) => void;
  #isPlanned = false;
  #lastWrite = -Infinity;

  constructor(
    write: (reason: Reason, times: number) => Promise<void>,
    failed: (reason: Reason, times: number, error: unknown) => void,
  ) {
    this.#write = write;
    this.#failed = failed;
  }

  /** Counts one request; the sums are written at once if none were in the last ten seconds. */
  add(reason: Reason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      inBackground(this.#writeSums());
    }
  }

  async #writeSums(): Promise<void> {
    await pause(Math.max(0, this.#lastWrite + WRITE_EVERY_MS - performance.now()));
    this.#lastWrite = performance.now();
    this.#isPlanned = false;
    const sums = [...this.#counts];
    this.#counts.clear();
    for (const [reason, times] of sums) {
      try {
        await this.#write(reason, times);
      } catch (error) {
        this.#failed(reason, times, error);
      }
    }
  }
}
