/** Starts the model by a `repository_dispatch`, whose workflow runs `grid forecast`. */

import type { GitHub } from "./settings.ts";
import {
  type Answered,
  asText,
  failed,
  MAY_HAVE_STARTED,
  objectIn,
  post,
  retryAfter,
  type Start,
  type Started,
} from "./starting.ts";

const API_VERSION = "2022-11-28";
const EVENT_TYPE = "forecast";

/** Where GitHub limits requests and does not say for how long. */
const PAUSE_S = 60;

export async function startByGitHub(
  github: GitHub,
  start: Start,
  timeoutMs: number,
): Promise<Started> {
  const answered = await post(
    "GitHub",
    `${github.apiUrl}/repos/${github.repository}/dispatches`,
    {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${github.token}`,
      "x-github-api-version": API_VERSION,
    },
    { event_type: EVENT_TYPE, client_payload: { token: start.token } },
    timeoutMs,
  );
  return "status" in answered ? judge(answered, github.repository) : answered;
}

function judge(answered: Answered, repository: string): Started {
  const { status, headers, text } = answered;
  const said = asText(objectIn(text)?.["message"]) || "no reason given";
  switch (true) {
    case status === 204:
      return { ok: true };
    case status === 401:
      return failed(
        "Unauthorized",
        `GitHub refused GRID_GITHUB_TOKEN (401, ${said}): it is wrong, expired or revoked. Make a ` +
          "new one and set it with `supabase secrets set`.",
      );
    case status === 429 || (status === 403 && isRateLimit(headers, said)):
      return failed(
        "RateLimited",
        `GitHub limits the requests of this token (${status}, ${said}). It is asked again later.`,
        secondsToWait(headers),
      );
    case status === 403:
      return failed(
        "Forbidden",
        `GRID_GITHUB_TOKEN may not start workflows of ${repository} (403, ${said}). Give it ` +
          '"Contents: read and write" for this repository.',
      );
    case status === 404:
      return failed(
        "NotFound",
        `GitHub shows this token no repository ${repository} (404). Check GRID_GITHUB_REPOSITORY, ` +
          "and that GRID_GITHUB_TOKEN may access it.",
      );
    case status === 422:
      return failed(
        "EventRefused",
        `GitHub did not accept the event (422, ${said}). Compare the version of the function ` +
          "with the workflow's.",
      );
    case status >= 300 && status < 400:
      return failed(
        "Moved",
        `GitHub answered with a redirect (${status}): ${repository} was renamed or moved. Set ` +
          "GRID_GITHUB_REPOSITORY to its new name.",
      );
    case status >= 500:
      return failed("ServerError", `GitHub failed (${status}, ${said}). It is asked again later.`);
    default:
      return failed(
        "UnexpectedAnswer",
        `The answer of GitHub was ${status} where 204 is expected. Check GRID_GITHUB_API_URL. ` +
          MAY_HAVE_STARTED,
      );
  }
}

function isRateLimit(headers: Headers, said: string): boolean {
  return headers.get("x-ratelimit-remaining") === "0" || headers.has("retry-after") ||
    /rate limit/i.test(said);
}

function secondsToWait(headers: Headers): number {
  const asked = retryAfter(headers, Date.now());
  if (asked !== undefined) {
    return asked;
  }
  const reset = Number(headers.get("x-ratelimit-reset")) - Date.now() / 1000;
  return headers.get("x-ratelimit-remaining") === "0" && reset > 0 ? Math.ceil(reset) : PAUSE_S;
}
