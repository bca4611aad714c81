/** Starts the model by GraphQL, as a run of the job `telemetry` on a Dagster webserver. */

import type { Dagster } from "./settings.ts";
import {
  type Answered,
  asObject,
  asText,
  failed,
  MAY_HAVE_STARTED,
  objectIn,
  post,
  retryAfter,
  type Start,
  type Started,
} from "./starting.ts";

const LAUNCH = `mutation ($run: ExecutionParams!) {
  launchRun(executionParams: $run) {
    __typename
    ... on Error { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}`;

/** What a forecast consists of, as the sensor `new_telemetry` plans it. */
const ASSETS = [
  "forecast/predictions",
  "forecast/accuracy",
  "files/feeds",
  "files/dashboard",
  "ops/alert_deliveries",
];

export async function startByDagster(
  dagster: Dagster,
  start: Start,
  timeoutMs: number,
): Promise<Started> {
  const { authorization } = dagster;
  const answered = await post(
    "Dagster",
    `${dagster.url}/graphql`,
    authorization === undefined ? {} : { authorization },
    { query: LAUNCH, variables: { run: runOf(start) } },
    timeoutMs,
  );
  return "status" in answered ? judge(answered) : answered;
}

function runOf(start: Start): unknown {
  const tags = {
    "dagster/asset_partition_range_start": start.firstDay,
    "dagster/asset_partition_range_end": start.lastDay,
    "grid/trigger": "webhook",
    "grid/why": "telemetry is newer than the forecast",
    "grid/wakeup": start.token,
  };
  return {
    selector: {
      repositoryLocationName: "grid_assets",
      repositoryName: "__repository__",
      jobName: "telemetry",
      assetSelection: ASSETS.map((asset) => ({ path: asset.split("/") })),
    },
    runConfigData: {},
    mode: "default",
    executionMetadata: { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) },
  };
}

function judge(answered: Answered): Started {
  const { status, headers, text } = answered;
  if (status === 401 || status === 403) {
    return failed(
      "Unauthorized",
      `The proxy before Dagster refused the request (${status}). Check GRID_DAGSTER_AUTHORIZATION.`,
    );
  }
  if (status >= 300 && status < 400) {
    return failed(
      "Moved",
      `Dagster's address answers with a redirect (${status}). Set GRID_DAGSTER_URL to the ` +
        "address that it leads to, or GRID_DAGSTER_AUTHORIZATION if it leads to a login.",
    );
  }
  const body = objectIn(text);
  if (body === undefined && (status >= 500 || status === 429)) {
    return failed(
      "ServerError",
      `Dagster or the proxy before it failed (${status}). Look at the webserver's log.`,
      retryAfter(headers, Date.now()),
    );
  }
  if (Array.isArray(body?.["errors"])) {
    return failed(
      "GraphQLError",
      `Dagster did not understand the request: ${messages(body["errors"])}. Compare its version ` +
        "with the one in constraints.txt.",
    );
  }
  const launched = asObject(asObject(body?.["data"])?.["launchRun"]);
  const typename = asText(launched?.["__typename"]);
  if (launched === undefined || typename === "") {
    return failed(
      "UnexpectedAnswer",
      `What answers at GRID_DAGSTER_URL is not Dagster's GraphQL (${status}). ${MAY_HAVE_STARTED}`,
    );
  }
  if (typename === "LaunchRunSuccess") {
    return { ok: true };
  }
  const said = asText(launched["message"]) || messages(launched["errors"]);
  return failed(typename, `Dagster did not start the run: ${said}`);
}

function messages(errors: unknown): string {
  const texts = Array.isArray(errors)
    ? errors.map((one) => asText(asObject(one)?.["message"]))
    : [];
  return texts.filter((text) => text !== "").join("; ") || "no reason given";
}
