// When to use electricity, and where a postcode is: the answers of `reporting.greenest_window` and
// `reporting.region_of_postcode`, from the documents of the feeds. Pure.
"use strict";

const HALF_HOUR = 1800000;

// Sums are made of whole hundredths, as the feeds have them, so that no rounding decides.
const hundredths = (value) => Math.round(value * 100);

// The greenest `hours` of the half-hours that begin from `now` on and end by `deadline`, by the
// model that speaks first; null if none is forecast whole.
const greenestWindow = (halfHours, hours, now, deadline) => {
  const ahead = halfHours.filter((one) => one.value !== null && one.issued_at !== null
    && Date.parse(one.period_start) >= now);
  const ofModel = ahead.filter((one) => one.model === ahead[0].model);
  const used = ofModel.filter((one) => Date.parse(one.period_start) + HALF_HOUR <= deadline);
  const needed = Math.ceil(hours * 2);
  const windowFrom = (n) => {
    const some = used.slice(n, n + needed);
    const start = some.length && Date.parse(some[0].period_start);
    const whole = some.length === needed
      && Date.parse(some.at(-1).period_start) === start + (needed - 1) * HALF_HOUR;
    return whole && {
      start, end: start + needed * HALF_HOUR, first: some[0],
      sum: some.reduce((sum, one) => sum + hundredths(one.value), 0),
    };
  };
  const found = used.map((_, n) => windowFrom(n)).filter(Boolean);
  if (!found.length) return null;
  const best = found.reduce((least, one) => (one.sum < least.sum ? one : least));
  const next = Math.ceil(now / HALF_HOUR) * HALF_HOUR;
  const once = found[0].start === next ? found[0].sum : null;
  const exact = (sum) => sum / (100 * needed);
  return {
    start: best.start,
    end: best.end,
    mean: exact(best.sum),
    meanAtOnce: once === null ? null : exact(once),
    lessPct: once ? Math.round(100 * (1 - best.sum / once)) : null,
    model: best.first.model,
    kind: best.first.kind,
    issuedAt: Date.parse(best.first.issued_at),
    forecastTo: Date.parse(ofModel.at(-1).period_start) + HALF_HOUR,
  };
};

// London's clock is this many milliseconds ahead of UTC.
const londonOffset = (ms) => {
  const parts = Object.fromEntries(inLondon({
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
    hourCycle: "h23",
  }).formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute);
  return local - Math.floor(ms / 60000) * 60000;
};

// The next time after `from` at which London's clock shows `text`, such as `07:00`.
const nextClock = (text, from) => {
  const [hour, minute] = text.split(":").map(Number);
  const midnight = new Date(from + londonOffset(from)).setUTCHours(0, 0, 0, 0);
  for (let day = 0; ; day += 1) {
    const local = midnight + day * DAY_MS + (hour * 60 + minute) * 60000;
    const guess = local - londonOffset(local);
    const found = local - londonOffset(guess);
    if (found > from) return found;
  }
};

// The deadline of a use, and the next such time if the use no longer fits before that (or null).
const deadlineOf = (use, now) => {
  const begin = Math.ceil(now / HALF_HOUR) * HALF_HOUR;
  if (!use.by) return { deadline: begin + DAY_MS, missed: null };
  const next = nextClock(use.by, now);
  let deadline = next;
  while (begin + Math.ceil(use.hours * 2) * HALF_HOUR > deadline)
    deadline = nextClock(use.by, deadline);
  return { deadline, missed: deadline === next ? null : next };
};

// The outward code of a postcode in any spelling, null if it has not the form of one.
const outwardCode = (postcode) => {
  const spaced = postcode.toUpperCase().replace(/[\s\u2010-\u2015\u2212._-]+/g, " ").trim();
  const compact = spaced.replaceAll(" ", "");
  const code = "(?:[A-Z]{1,2}[0-9][A-Z0-9]?|GIR)";
  return (new RegExp(`^(${code}) [0-9][A-Z]{0,2}$`).exec(spaced)
    || new RegExp(`^(${code})[0-9][A-Z]{2}$`).exec(compact)
    || new RegExp(`^(${code})$`).exec(compact))?.[1] ?? null;
};

// Where a postcode is: its region, or why there is none.
const placeOf = (postcode, codes) => {
  const code = outwardCode(postcode);
  if (code === null) return { reason: "Give a postcode such as RG10 9NY, or its first half." };
  if (Object.hasOwn(codes, code)) return { code, region: codes[code] };
  if (/^BT[0-9]/.test(code))
    return { code, reason: `${code} is in Northern Ireland, which is on Ireland's grid.` };
  if (/^(JE|GY|IM)[0-9]/.test(code))
    return { code, reason: `${code} is not on Great Britain's grid.` };
  const longer = Object.keys(codes).filter((one) => one.startsWith(code) && /[A-Z]$/.test(one)
    && one.length === code.length + 1);
  return { code, reason: longer.length
    ? `Which one: ${longer.join(", ")}?` : `${code} is not a postcode in use.` };
};
