/**
 * Shares one piece of work among callers that come at the same time.
 *
 * A caller who comes while the work is being done must not have its result: it may have looked at
 * the tables before the caller's rows were there. All such callers wait together for one more.
 */

import { pause } from "./background.ts";

/**
 * Makes `work` one that never runs twice at once, and that is done at most once more for all who
 * came while it ran. The one more begins `restMs` later, which bounds how often a flood looks.
 */
export function inTurn<A, R>(
  work: (argument: A) => Promise<R>,
  restMs: number,
): (argument: A) => Promise<R> {
  let running: Promise<R> | undefined;
  let next: Promise<R> | undefined;

  function begin(argument: A): Promise<R> {
    const mine = work(argument).finally(() => {
      running = undefined;
    });
    running = mine;
    return mine;
  }

  return (argument) => {
    if (next !== undefined) {
      return next;
    }
    if (running === undefined) {
      return begin(argument);
    }
    const rest = (): Promise<void> => pause(restMs);
    next = running.then(rest, rest).then(() => {
      next = undefined;
      return begin(argument);
    });
    return next;
  };
}
