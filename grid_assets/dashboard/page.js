// Fills the page from the documents of the feeds, answers when and where to use electricity, and
// renews itself from the feeds where it is served.
"use strict";
(() => {
  const RENEW_EVERY = 60000;
  const GREAT_BRITAIN = 0; // as it generates; regions have their numbers, 1 to 18
  const $ = (id) => document.getElementById(id);

  let page = JSON.parse($("data").textContent);
  const feeds = page.feeds;
  const charts = new Map();
  const USUAL = { region: GREAT_BRITAIN, task: "charge", hours: 3, kw: 7, by: "" };
  const use = { ...USUAL };

  // ---- what is known of the chosen place

  const regions = () => feeds["now.json"].regions;
  const nowMs = () => Math.max(Date.now(), Date.parse(feeds["now.json"].generated_at));

  const place = () => {
    const region = feeds[`regions/${use.region}.json`];
    if (region) {
      return {
        name: region.region_id === 18 ? "Great Britain" : region.short_name,
        now: region.now, mix: region.mix, halfHours: region.forecast.half_hours,
        accuracy: region.accuracy,
      };
    }
    const now = feeds["now.json"];
    return {
      name: "Great Britain", now: now.carbon_intensity, mix: now.mix,
      halfHours: feeds["forecast.json"].half_hours, accuracy: feeds["accuracy.json"],
    };
  };

  const kindNote = (kind) =>
    (kind === "simulated" || kind === "derived" ? ` (${kind})` : "");

  // A screen reader reads these aloud when they change, so an equal text stays as it is.
  const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

  // ---- the answer

  const TASKS = {
    charge: { verb: "Charge", hours: 3, kw: 7 },
    wash: { verb: "Wash", hours: 2, kw: 1 },
    dry: { verb: "Dry", hours: 1.5, kw: 2 },
    other: { verb: "Use it", hours: 3, kw: 1 },
  };

  const day = (ms, now) => {
    const days = Math.floor((ms + londonOffset(ms)) / DAY_MS)
      - Math.floor((now + londonOffset(now)) / DAY_MS);
    return ["", " tomorrow"][days] ?? ` on ${DATE.format(ms)}`;
  };

  const hoursText = () => (use.hours === 1 ? "1 hour" : `${use.hours} hours`);

  const mass = (grams) => (grams < 999.5
    ? `${decimal(grams, 0)} g` : `${decimal(grams / 1000, grams < 99950 ? 1 : 0)} kg`);

  const CHECKS = { hours: (n) => n >= 0.5 && n <= 24, kw: (n) => n > 0 && n <= 1000 };

  const kwh = (energy) => decimal(energy, Number.isInteger(energy) ? 0 : energy < 1 ? 2 : 1);

  const fault = () => {
    if (!CHECKS.hours(use.hours)) return "Give between half an hour and 24 hours.";
    if (!CHECKS.kw(use.kw)) return "Give a power above 0 and up to 1000 kW.";
    return null;
  };

  const answer = () => {
    const now = nowMs();
    const wrong = fault();
    for (const [name, check] of Object.entries(CHECKS))
      $(`use-${name}`).setAttribute("aria-invalid", String(!check(use[name])));
    const { deadline, missed } = wrong ? {} : deadlineOf(use, now);
    const found = wrong ? null : greenestWindow(place().halfHours, use.hours, now, deadline);
    if (!found) {
      say("answer-headline", wrong || "No answer yet");
      say("answer-rest", wrong ? "" : `No forecast for ${place().name} covers ${hoursText()} `
        + `before ${at(deadline)}. Choose a later time, or come back when there is a new forecast.`);
      return null;
    }
    const { verb } = TASKS[use.task];
    const begin = Math.ceil(now / HALF_HOUR) * HALF_HOUR;
    const span = `from ${time(found.start)} to ${time(found.end)}${day(found.start, now)}`;
    const energy = use.kw * use.hours;
    say("answer-headline", found.start === begin
      ? `${verb} now, ${span}: it gets no greener`
      : `${verb} ${span}${found.lessPct === null ? ""
        : found.lessPct > 0 ? `: ${found.lessPct} % less than now` : ": about the same as now"}`);
    const compared = found.meanAtOnce !== null && found.start !== begin;
    say("answer-rest", `${decimal(found.mean)} gCO2/kWh on average`
      + `${compared ? ` instead of ${decimal(found.meanAtOnce)}` : ""}. `
      + `${kwh(energy)} kWh in ${place().name} emit ${mass(energy * found.mean)} of CO2`
      + `${compared ? ` instead of ${mass(energy * found.meanAtOnce)}` : ""}. `
      + `By ${found.model}${kindNote(found.kind)}, forecast of ${at(found.issuedAt)}`
      + `${found.forecastTo < deadline ? `; it ends at ${at(found.forecastTo)}` : ""}`
      + `${missed ? `; ${hoursText()} no longer fit${use.hours === 1 ? "s" : ""} before `
        + `${time(missed)}${day(missed, now) || " today"}` : ""}.`);
    return found;
  };

  // ---- the panels of a place

  const ago = (seconds) => (seconds < 5400
    ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`);

  const showNow = () => {
    const { name, now } = place();
    $("now-place").textContent = name;
    $("now-intensity").textContent = decimal(now.value, Number.isInteger(now.value) ? 0 : 1);
    $("now-index").hidden = !now.index;
    $("now-index").dataset.index = $("now-index").textContent = now.index || "";
    const late = now.period_end && nowMs() - Date.parse(now.period_end) > page.late;
    $("now-age").classList.toggle("bad", Boolean(late));
    const what = now.kind === "measured" ? "Measured" : `As forecast by NESO${kindNote(now.kind)}`;
    $("now-age").textContent = now.value === null ? "No data in two days."
      : `${what}: ${at(Date.parse(now.period_start))} to ${clock(Date.parse(now.period_end))}`
        + `${late ? `, ${ago((nowMs() - Date.parse(now.period_end)) / 1000)} ago – late` : ""}.`;
    $("now-basis").textContent = now.basis === "consumption"
      ? "What is used here, wherever it was generated." : "What is generated in Great Britain.";
  };

  const showMix = () => {
    const { mix } = place();
    const fuels = Object.keys(page.fuels)
      .sort((one, other) => (mix.shares[other] || 0) - (mix.shares[one] || 0));
    $("now-mix").replaceChildren(...fuels.map((fuel) => {
      const bar = htmlElement("i");
      bar.style.width = `${mix.shares[fuel] || 0}%`;
      bar.style.background = page.fuels[fuel];
      return htmlElement("li", {}, htmlElement("span", {}, fuel),
        htmlElement("span", { class: "track", "aria-hidden": "true" }, bar),
        htmlElement("span", { class: "n" }, `${decimal(mix.shares[fuel])} %`));
    }));
    $("now-groups").textContent = mix.period_start === null ? "No data in two days."
      : `Renewable ${decimal(mix.groups.renewable)} %, zero-carbon `
        + `${decimal(mix.groups.zero_carbon)} %, fossil ${decimal(mix.groups.fossil)} %. `
        + `${at(Date.parse(mix.period_start))} to ${clock(Date.parse(mix.period_end))}.`;
  };

  // Those that were forecast; the half-hour that has begun may be only as it was published.
  const issued = (halfHours) => halfHours.filter((one) => one.issued_at !== null);

  const column = (halfHours, model, field) =>
    halfHours.map((one) => (one.model === model ? one[field] : null));

  const forecastChart = (halfHours, found) => {
    const some = issued(halfHours).length ? issued(halfHours) : halfHours;
    const models = [...new Set(some.map((one) => one.model).filter(Boolean))];
    const lines = models.map((model) => {
      const kinds = column(halfHours, model, "kind");
      const kind = ["simulated", "derived"].find((one) => kinds.includes(one));
      const high = column(halfHours, model, "p90");
      return {
        name: model + kindNote(kind), colour: page.models[model] || "currentColor",
        values: column(halfHours, model, "value"),
        ...(known(high).length ? { low: column(halfHours, model, "p10"), high } : {}),
      };
    });
    const neso = halfHours.map((one) => one.neso ?? null);
    if (known(neso).length && models.some((model) => model !== "neso")) {
      const kind = halfHours.find((one) => one.neso !== null).neso_kind;
      lines.push({ name: `neso${kindNote(kind)}${models.includes("neso") ? ", all of it" : ""}`,
        colour: page.models.neso, values: neso, dashed: true });
    }
    return {
      kind: "lines", unit: "gCO2/kWh", step: HALF_HOUR, lines, now: nowMs(),
      times: halfHours.map((one) => Date.parse(one.period_start)),
      window: found ? [found.start, found.end] : null,
    };
  };

  const showForecast = (found) => {
    const { name, halfHours } = place();
    const some = halfHours.filter((one) => one.value !== null);
    const ahead = some.filter((one) => Date.parse(one.period_start) + HALF_HOUR > nowMs());
    $("forecast-empty").hidden = some.length > 0;
    $("forecast-chart").hidden = !some.length;
    $("forecast-table").hidden = !some.length;
    if (!some.length) {
      $("forecast-says").textContent = `There is no forecast for ${name} yet.`;
      return;
    }
    const least = ahead.reduce((low, one) => (one.value < low.value ? one : low), ahead[0]);
    const most = ahead.reduce((high, one) => (one.value > high.value ? one : high), ahead[0]);
    const says = !ahead.length ? `The forecast for ${name} has ended.` : `${name}: between ${decimal(least.value)} gCO2/kWh at `
      + `${at(Date.parse(least.period_start))} and ${decimal(most.value)} at `
      + `${at(Date.parse(most.period_start))}.`
      + (ahead.some((one) => one.p10 !== null)
        ? " Four out of five actuals should be inside the band." : "");
    $("forecast-says").textContent = says;
    draw("forecast", forecastChart(halfHours, found), says);
    $("forecast-rows").replaceChildren(...halfHours.map((one) => htmlElement("tr", {},
      htmlElement("th", { scope: "row" }, at(Date.parse(one.period_start))),
      ...[one.value, one.p10, one.p90, one.neso].map((value) =>
        htmlElement("td", { class: "n" }, decimal(value))),
      htmlElement("td", {}, one.model ? one.model + kindNote(one.kind) : "–"))));
  };

  const showAccuracy = () => {
    const { name, accuracy, halfHours } = place();
    const speaks = issued(halfHours)[0]?.model;
    const some = accuracy.models.filter(({ model }) => model === speaks || model === "neso");
    const lines = some.map((one) => {
      const [first, last] = [one.leads[0], one.leads.at(-1)];
      return `${one.model}${kindNote(one.kind)} is off by ${decimal(first.mae)} gCO2/kWh at `
        + `${first.lead_bucket}${last === first ? "" : `, ${decimal(last.mae)} at `
          + `${last.lead_bucket}`}`;
    });
    const against = accuracy.against === "actual" ? "what was measured"
      : "NESO's own later estimate, because nothing is measured by region";
    $("place-accuracy").textContent = lines.length
      ? `${name}, against ${against}: ${lines.join("; ")}.`
      : `No forecast for ${name} has been scored yet.`;
  };

  // ---- the map

  const showTiles = () => {
    for (const tile of document.querySelectorAll("[data-region]")) {
      const id = Number(tile.dataset.region);
      const known = id === GREAT_BRITAIN ? feeds["now.json"].carbon_intensity
        : regions().find((one) => one.region_id === id);
      tile.setAttribute("aria-pressed", String(id === use.region));
      tile.querySelector(".value").textContent = known
        ? decimal(known.value, Number.isInteger(known.value) ? 0 : 1) : "–";
      tile.dataset.index = (known && known.index) || "";
      tile.querySelector(".level").textContent = (known && known.index) || "";
    }
    const some = regions().filter((one) => one.region_id <= 14 && one.value !== null);
    $("regions-empty").hidden = regions().length > 0;
    if (!some.length) {
      if ($("regions-says")) $("regions-says").textContent = "";
      return;
    }
    const least = some.reduce((low, one) => (one.value < low.value ? one : low));
    const most = some.reduce((high, one) => (one.value > high.value ? one : high));
    $("regions-says").textContent = `Greenest now: ${least.short_name} with `
      + `${decimal(least.value, 0)} gCO2/kWh; least green: ${most.short_name} with `
      + `${decimal(most.value, 0)}.`;
  };

  // ---- drawing, choosing and remembering

  const draw = (name, spec, says) => {
    const holder = $(`${name}-chart`);
    if (!holder) return;
    const known = charts.get(name);
    if (known?.holder !== holder) {
      known?.close();
      charts.set(name, new Chart(holder, known?.chosen));
    }
    charts.get(name).draw(spec, says);
  };

  const showCharts = (panel) => {
    for (const [name, spec] of Object.entries(page.charts)) {
      if (panel.contains($(`${name}-chart`)))
        draw(name, spec, `${spec.title}. ${$(`${name}-says`).textContent}`);
    }
  };

  const showMade = () => {
    const made = Date.parse(feeds["now.json"].generated_at);
    $("made").textContent = `Made on ${at(made)}, ${inLondon({ year: "numeric" }).format(made)}. `
      + `Times are London's (now ${zone(made)}).`;
    const age = Date.now() - made;
    const hours = Math.floor(age / 3600000);
    $("old").hidden = age < page.old;
    say("age", hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`);
  };

  const show = () => {
    showMade();
    const found = answer();
    showNow();
    showMix();
    showTiles();
    showForecast(found);
    showAccuracy();
  };

  const remember = () => {
    const { region, task, hours, kw, by } = use;
    const text = new URLSearchParams({ region, task, hours, kw, ...(by ? { by } : {}) });
    history.replaceState(null, "", `#${text}`);
  };

  const recall = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (feeds[`regions/${asked.get("region")}.json`]) use.region = Number(asked.get("region"));
    if (Object.hasOwn(TASKS, asked.get("task"))) use.task = asked.get("task");
    for (const name of ["hours", "kw"]) if (Number(asked.get(name))) use[name] = Number(asked.get(name));
    if (/^([01]\d|2[0-3]):[0-5]\d$/.test(asked.get("by"))) use.by = asked.get("by");
  };

  const fillForm = () => {
    for (const name of ["region", "task", "hours", "kw", "by"]) $(`use-${name}`).value = use[name];
  };

  const choose = (changed) => {
    Object.assign(use, changed);
    if (changed.task) Object.assign(use, { hours: TASKS[use.task].hours, kw: TASKS[use.task].kw });
    fillForm();
    remember();
    show();
  };

  const forgetPostcode = () => {
    if ($("use-postcode")) $("use-postcode").value = "";
    $("postcode-says").textContent = "";
  };

  const listen = () => {
    $("use-region").addEventListener("change", (event) => {
      forgetPostcode();
      choose({ region: Number(event.target.value) });
    });
    $("use-task").addEventListener("change", (event) => choose({ task: event.target.value }));
    for (const name of ["hours", "kw"]) {
      $(`use-${name}`).addEventListener("input", (event) => {
        use[name] = event.target.valueAsNumber;
        if (fault() === null) remember();
        show();
      });
    }
    $("use-by").addEventListener("input", (event) => {
      use.by = event.target.value;
      remember();
      show();
    });
    $("use-postcode")?.addEventListener("input", (event) => {
      const text = event.target.value;
      const found = text.trim() ? placeOf(text, feeds["postcodes.json"].outward_codes) : {};
      say("postcode-says", found.reason || "");
      if (found.region) choose({ region: found.region });
    });
    $("use").addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("hashchange", () => { // a link that was sent, opened in this tab
      if (location.hash.includes("=")) {
        forgetPostcode();
        Object.assign(use, USUAL);
        recall();
      }
      choose({});
    });
    for (const tile of document.querySelectorAll("[data-region]")) {
      tile.addEventListener("click", () => {
        forgetPostcode();
        choose({ region: Number(tile.dataset.region) });
      });
    }
  };

  // ---- renewal, where the page is served beside the feeds

  const asked = (name) => fetch(name, { cache: "no-cache" }).then((reply) => {
    if (!reply.ok) throw new Error(`${name}: ${reply.status}`);
    return reply;
  });

  const renewFeeds = async () => {
    const newest = await (await asked("v1/now.json")).json();
    if (newest.generated_at <= feeds["now.json"].generated_at) return; // the page may be newer
    if (!newest.regions.length !== !regions().length) return; // only the next page has place
    const names = Object.keys(feeds).filter((name) => name !== "now.json");
    const renewed = await Promise.all(
      names.map(async (name) => [name, await (await asked(`v1/${name}`)).json()]));
    if (renewed.some(([, document]) => document.generated_at !== newest.generated_at))
      throw new Error("The feeds are just being written: the next minute has them all.");
    Object.assign(feeds, Object.fromEntries(renewed), { "now.json": newest });
  };

  // The panels below are not in the feeds: they come from the next page.
  let stamp = null;
  const renewPanels = async () => {
    const reply = await asked(location.pathname);
    const changed = reply.headers.get("Last-Modified");
    const known = stamp;
    stamp = changed;
    if (known === changed) return;
    const next = new DOMParser().parseFromString(await reply.text(), "text/html");
    const { feeds: others, ...data } = JSON.parse(next.getElementById("data").textContent);
    if (data.made <= page.made) return;
    if (!others["now.json"].regions.length !== !regions().length) return location.reload();
    page = data;
    for (const panel of document.querySelectorAll("[data-made]")) {
      keepingFocus(panel, () => {
        const open = [...panel.querySelectorAll("details[open]")].map((one) => one.id);
        panel.replaceChildren(...next.getElementById(panel.id).children);
        for (const id of open) if ($(id)) $(id).open = true;
        showCharts(panel);
      });
    }
  };

  const renew = () => Promise.allSettled([renewFeeds(), renewPanels()]).then(show);

  recall();
  fillForm();
  listen();
  show();
  showCharts(document);
  if (location.protocol.startsWith("http")) {
    setInterval(renew, RENEW_EVERY);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(); });
  } else {
    setInterval(show, RENEW_EVERY);
  }
})();
