/**
 * The settings of a function, read from the variables that `supabase secrets set` gives it.
 *
 * A problem names the variable and says what to set, and never repeats a value: values are secrets.
 * The wake-up secret is read on its own, because only callers who know it learn of other problems.
 */

import { type Alarms, readAlarms } from "./alarms.ts";

/** What is wrong with one variable. */
export interface Problem {
  readonly variable: string;
  readonly message: string;
}

export interface GitHub {
  readonly kind: "github";
  readonly apiUrl: string;
  readonly repository: string;
  readonly token: string;
}

export interface Dagster {
  readonly kind: "dagster";
  readonly url: string;
  /** The value of the Authorization header, where a reverse proxy asks for one. */
  readonly authorization: string | undefined;
}

export interface Settings {
  readonly databaseUrl: string;
  readonly way: GitHub | Dagster;
  /** Whom to tell of a failed start. What is wrong with it stops nothing. */
  readonly alarms: Alarms;
  /** The time limit of one request to the database, GitHub or Dagster. */
  readonly timeoutMs: number;
}

/** The value of a variable without surrounding white space, or "" if it is not set. */
export type Environment = (name: string) => string;

const SHORTEST_SECRET = 16;
const TIMEOUT_MS = 10_000;

const VISIBLE = /^[\x21-\x7e]+$/;
const VISIBLE_OR_SPACE = /^[\x20-\x7e]*$/;
const REPOSITORY = /^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/;

export function readSecret(environment: Environment): string | Problem {
  const variable = "GRID_WAKE_SECRET";
  const secret = environment(variable);
  if (secret.length < SHORTEST_SECRET) {
    return { variable, message: `${variable} needs at least ${SHORTEST_SECRET} characters.` };
  }
  if (!VISIBLE.test(secret)) {
    return { variable, message: `${variable} may hold only ASCII characters without spaces.` };
  }
  return secret;
}

export function readSettings(environment: Environment): Settings | Problem {
  const databaseUrl = environment("GRID_DATABASE_URL");
  if (!["postgres:", "postgresql:"].includes(parsed(databaseUrl)?.protocol ?? "")) {
    return problem("GRID_DATABASE_URL", "must be the PostgreSQL URL of the role grid_waker.");
  }
  const timeoutMs = Number(environment("GRID_WAKE_TIMEOUT_MS") || TIMEOUT_MS);
  if (!(timeoutMs >= 1 && timeoutMs <= 60_000)) {
    return problem("GRID_WAKE_TIMEOUT_MS", "must be a number from 1 to 60000.");
  }
  const way = readWay(environment);
  return "variable" in way ? way : { databaseUrl, way, alarms: readAlarms(environment), timeoutMs };
}

function readWay(environment: Environment): GitHub | Dagster | Problem {
  const repository = environment("GRID_GITHUB_REPOSITORY");
  const url = environment("GRID_DAGSTER_URL");
  if ((repository === "") === (url === "")) {
    const found = url === "" ? "neither is" : "both are";
    return problem(
      "GRID_GITHUB_REPOSITORY",
      `or GRID_DAGSTER_URL must be set, and not both: ${found} set.`,
    );
  }
  return repository === "" ? readDagster(url, environment) : readGitHub(repository, environment);
}

function readGitHub(repository: string, environment: Environment): GitHub | Problem {
  if (!REPOSITORY.test(repository)) {
    return problem("GRID_GITHUB_REPOSITORY", "must be owner/name.");
  }
  const token = environment("GRID_GITHUB_TOKEN");
  if (!VISIBLE.test(token)) {
    return problem(
      "GRID_GITHUB_TOKEN",
      "must be a token that may write the repository's contents.",
    );
  }
  const apiUrl = baseUrl(environment("GRID_GITHUB_API_URL") || "https://api.github.com");
  return apiUrl === undefined
    ? problem("GRID_GITHUB_API_URL", "must be an http(s) address without a user or a query.")
    : { kind: "github", apiUrl, repository, token };
}

function readDagster(given: string, environment: Environment): Dagster | Problem {
  const url = baseUrl(given);
  if (url === undefined) {
    return problem(
      "GRID_DAGSTER_URL",
      "must be an http(s) address without a user or a query; " +
        "a password belongs in GRID_DAGSTER_AUTHORIZATION.",
    );
  }
  const authorization = environment("GRID_DAGSTER_AUTHORIZATION");
  return VISIBLE_OR_SPACE.test(authorization)
    ? { kind: "dagster", url, authorization: authorization || undefined }
    : problem("GRID_DAGSTER_AUTHORIZATION", "may hold only ASCII characters.");
}

/** Replaces each secret in a text that is logged, stored or sent back. */
export function concealer(secret: string, settings: Settings): (text: string) => string {
  const { way } = settings;
  const password = parsed(settings.databaseUrl)?.password ?? "";
  const secrets = [secret, settings.databaseUrl, password, decoded(password)];
  if (way.kind === "github") {
    secrets.push(way.token);
  } else if (way.authorization !== undefined) {
    secrets.push(way.authorization, way.authorization.replace(/^\S+\s+/, ""));
  }
  // Shorter ones are no secrets, and would be found in ordinary words.
  const hidden = secrets.filter((one) => one.length >= 4).sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((shown, one) => shown.replaceAll(one, "***"), text);
}

function problem(variable: string, rest: string): Problem {
  return { variable, message: `${variable} ${rest}` };
}

/** An address to which a path can be appended. */
function baseUrl(text: string): string | undefined {
  const url = parsed(text);
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    return undefined;
  }
  const extra = url.username + url.password + url.search + url.hash;
  return extra === "" ? url.href.replace(/\/+$/, "") : undefined;
}

function parsed(text: string): URL | undefined {
  return URL.parse(text) ?? undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
