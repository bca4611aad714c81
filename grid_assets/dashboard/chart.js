// Draws a chart of the page as SVG, with its legend, and shows the values under the pointer.
//
// Three kinds: `lines` and `stack` run over time, in steps of `step` milliseconds; `bars` stand side
// by side in groups. Null values are left out: nothing is drawn across a gap.
"use strict";

const svgElement = (name, attributes = {}, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const htmlElement = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const DAY_MS = 86400000;
const inLondon = (options) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", ...options });
const CLOCK = inLondon({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DATE = inLondon({ day: "numeric", month: "short" });
const ZONE = inLondon({ timeZoneName: "short" });

const clock = (ms) => CLOCK.format(ms);
const zone = (ms) => ZONE.formatToParts(ms).find((part) => part.type === "timeZoneName").value;

// Whether the clock shows this time twice, because it goes back.
const isTwice = (ms) =>
  [-1, 1].some((side) => zone(ms) !== zone(ms + (side * DAY_MS) / 24)
    && clock(ms) === clock(ms + (side * DAY_MS) / 24));

// A time by London's clock, such as `19:30`; with the zone if it comes twice.
const time = (ms) => `${clock(ms)}${isTwice(ms) ? ` ${zone(ms)}` : ""}`;

// An instant by London's clock, such as `22 Nov 19:30`.
const at = (ms) => `${DATE.format(ms)} ${time(ms)}`;

const decimal = (value, digits = 1) => (value === null || value === undefined
  ? "–" : value.toLocaleString("en-GB", {
    minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: digits === 0,
  }));

// The largest value of an axis and the distance of its ticks, for some four of them.
const axis = (largest) => {
  const rough = (largest || 1) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * size >= rough * 0.999) * size;
  return { step, top: Math.ceil(largest / step - 1e-9) * step || step };
};

const known = (values) => (values || []).filter((value) => value !== null);

// Neighbours that all have a value, as pairs of first and last index.
const runs = (values) => {
  const found = [];
  values.forEach((value, n) => {
    if (value === null) return;
    if (n && values[n - 1] !== null) found.at(-1)[1] = n;
    else found.push([n, n]);
  });
  return found;
};

// Replaces what is in `root`; what had the focus there has it again, by its place.
const keepingFocus = (root, replace) => {
  const places = () => [...root.querySelectorAll("a, button, summary, [tabindex]")];
  const place = places().indexOf(document.activeElement);
  replace();
  if (place >= 0) places()[place]?.focus({ preventScroll: true });
};

class Chart {
  // `chosen` is the one part that is shown alone, null for all.
  constructor(holder, chosen = null) {
    this.holder = holder;
    this.chosen = chosen;
    this.shown = null; // the half-hour or group whose values are shown
    this.width = 0;
    this.observer = new ResizeObserver(() => {
      const width = this.holder.clientWidth; // 0 where it is hidden
      if (this.spec && width && width !== this.width) this.draw(this.spec);
    });
    this.observer.observe(holder);
  }

  close() { this.observer.disconnect(); }

  // Draws `spec`; `says` is its text for those who cannot see it.
  draw(spec, says = this.says) {
    const shown = this.spec?.times?.[0] === spec.times?.[0] ? this.shown : null;
    this.spec = spec;
    this.says = says;
    this.width = this.holder.clientWidth;
    this.height = spec.height || 260;
    this.left = 46;
    this.right = this.width - 10;
    this.upper = 10;
    this.lower = this.height - 24;
    this.picture = svgElement("svg", {
      class: "marks", role: "img", "aria-label": says, tabindex: 0,
      width: this.width, height: this.height, viewBox: `0 0 ${this.width} ${this.height}`,
    });
    this.count = (spec.times || spec.groups).length;
    this.drawAxis();
    ({ lines: this.drawLines, stack: this.drawStack, bars: this.drawBars })[spec.kind].call(this);
    this.pointer = svgElement("rect", { class: "pointer", y: this.upper,
      height: this.lower - this.upper, visibility: "hidden" });
    this.picture.append(this.pointer);
    this.tip = htmlElement("div", { class: "tip", role: "status", hidden: "" });
    this.listen();
    keepingFocus(this.holder, () =>
      this.holder.replaceChildren(this.legend(), this.picture, this.tip));
    this.fade();
    this.show(shown);
  }

  // The parts of any kind, under one name.
  get parts() { return this.spec.lines || this.spec.parts; }

  x(ms) {
    const [first, last] = this.span;
    return this.left + ((ms - first) / (last - first)) * (this.right - this.left);
  }

  y(value) {
    return this.lower - (value / this.top) * (this.lower - this.upper);
  }

  // The left and right edge of a half-hour or a group.
  slot(n) {
    const { times, step } = this.spec;
    if (times) return [this.x(times[n]), this.x(times[n] + step)];
    const width = (this.right - this.left) / this.count;
    return [this.left + n * width, this.left + (n + 1) * width];
  }

  drawAxis() {
    const { spec } = this;
    const sums = spec.kind === "stack"
      ? spec.times.map((_, n) => this.parts.reduce((sum, part) => sum + (part.values[n] || 0), 0))
      : this.parts.flatMap((part) => [...known(part.values), ...known(part.ahead),
        ...known(part.high)]);
    const { top, step } = axis(Math.max(spec.top || 0, spec.target || 0, ...sums));
    this.top = top;
    for (let value = 0; value <= top + step / 2; value += step) {
      const y = this.y(value);
      this.picture.append(
        svgElement("line", { class: "grid", x1: this.left, x2: this.right, y1: y, y2: y }),
        svgElement("text", { class: "label", x: this.left - 6, y: y + 4, "text-anchor": "end" },
          decimal(value, step < 1 ? 1 : 0)),
      );
    }
    if (spec.times) this.drawTimes();
    else this.spec.groups.forEach((name, n) => {
      const [from, to] = this.slot(n);
      this.label((from + to) / 2, name);
    });
  }

  label(x, text) {
    this.picture.append(svgElement("text",
      { class: "label", x, y: this.height - 6, "text-anchor": "middle" }, text));
  }

  drawTimes() {
    const { times, step } = this.spec;
    this.span = [times[0], times.at(-1) + step];
    const hours = (this.span[1] - this.span[0]) / 3600000;
    const room = Math.max(2, Math.floor((this.right - this.left) / 62));
    const every = [1, 2, 3, 6, 12, 24].find((one) => hours / one <= room) || 24;
    for (let ms = this.span[0]; ms < this.span[1]; ms += 1800000) {
      const [hour, minute] = clock(ms).split(":").map(Number);
      if (minute || hour % every) continue;
      const x = this.x(ms);
      if (x < this.left + 12 || x > this.right - 12) continue;
      this.label(x, hour ? clock(ms) : DATE.format(ms));
      this.picture.append(svgElement("line",
        { class: hour ? "tick" : "tick midnight", x1: x, x2: x,
          y1: hour ? this.lower : this.upper, y2: this.lower + 4 }));
    }
  }

  drawLines() {
    const { times, window, now } = this.spec;
    if (window) {
      const [from, to] = window.map((ms) => this.x(ms));
      this.picture.append(svgElement("rect", { class: "window", x: from, y: this.upper,
        width: Math.max(0, to - from), height: this.lower - this.upper }));
    }
    for (const line of this.parts) {
      const group = svgElement("g", { "data-name": line.name });
      if (line.low) {
        const both = line.low.map((low, n) => (line.high[n] === null ? null : low));
        for (const [first, last] of runs(both)) {
          const some = [...Array(last - first + 1).keys()].map((n) => n + first);
          const points = [...some.map((n) => [times[n], line.high[n]]),
            ...some.reverse().map((n) => [times[n], line.low[n]])];
          group.append(svgElement("path", { class: "band", fill: line.colour,
            d: `${this.path(points)}Z` }));
        }
      }
      this.drawLine(group, line.values, line.colour, line.dashed);
      if (line.ahead) this.drawLine(group, line.ahead, line.colour, true);
      this.picture.append(group);
    }
    if (now) {
      this.picture.append(svgElement("line", { class: "now-line", x1: this.x(now),
        x2: this.x(now), y1: this.upper, y2: this.lower }));
    }
  }

  path(points) {
    return points.map(([ms, value], n) =>
      `${n ? "L" : "M"}${this.x(ms).toFixed(1)} ${this.y(value).toFixed(1)}`).join("");
  }

  drawLine(group, values, colour, dashed) {
    const { times } = this.spec;
    const found = runs(values);
    const long = found.filter(([first, last]) => first < last);
    if (long.length) {
      group.append(svgElement("path", {
        class: dashed ? "line dashed" : "line", stroke: colour,
        d: long.map(([first, last]) => this.path(
          times.slice(first, last + 1).map((ms, n) => [ms, values[first + n]]))).join(""),
      }));
    }
    for (const [first, last] of found) { // a single half-hour makes no line
      if (first === last) {
        group.append(svgElement("circle", { fill: colour, r: 2.5,
          cx: this.x(times[first]), cy: this.y(values[first]) }));
      }
    }
  }

  drawStack() {
    const floors = this.spec.times.map(() => 0);
    for (const part of this.parts) {
      const group = svgElement("g", { "data-name": part.name, fill: part.colour });
      part.values.forEach((value, n) => {
        if (value === null) return;
        const [from, to] = this.slot(n);
        const y = this.y(floors[n] + value);
        group.append(svgElement("rect", { class: "block", x: from.toFixed(2), y: y.toFixed(2),
          width: Math.max(0, to - from).toFixed(2),
          height: Math.max(0, this.y(floors[n]) - y).toFixed(2) }));
        floors[n] += value;
      });
      this.picture.append(group);
    }
  }

  drawBars() {
    const gap = 0.2;
    this.parts.forEach((part, place) => {
      const group = svgElement("g", { "data-name": part.name, fill: part.colour });
      part.values.forEach((value, n) => {
        if (value === null) return;
        const [from, to] = this.slot(n);
        const width = ((to - from) * (1 - gap)) / this.parts.length;
        group.append(svgElement("rect", { class: "block", y: this.y(value), width,
          x: from + ((to - from) * gap) / 2 + place * width,
          height: this.lower - this.y(value) }));
      });
      this.picture.append(group);
    });
    const { target } = this.spec;
    if (target) {
      this.picture.append(svgElement("line", { class: "target", x1: this.left, x2: this.right,
        y1: this.y(target), y2: this.y(target) }));
    }
  }

  // The names; where one part may be shown alone, they are buttons.
  legend() {
    const { choose } = this.spec;
    const list = htmlElement("div", choose
      ? { class: "legend", role: "group", "aria-label": "Show one alone" } : { class: "legend" });
    for (const part of this.parts) {
      const swatch = htmlElement("i", { class: part.dashed ? "dashed" : "" });
      swatch.style.setProperty("--colour", part.colour);
      if (!choose) {
        list.append(htmlElement("span", {}, swatch, part.name));
        continue;
      }
      const button = htmlElement("button", { type: "button", value: part.name }, swatch, part.name);
      button.addEventListener("click", () => {
        this.chosen = this.chosen === part.name ? null : part.name;
        this.fade();
      });
      list.append(button);
    }
    return list;
  }

  fade() {
    for (const group of this.picture.querySelectorAll("g[data-name]"))
      group.classList.toggle("faded", this.chosen !== null && group.dataset.name !== this.chosen);
    for (const button of this.holder.querySelectorAll(".legend button"))
      button.setAttribute("aria-pressed", String(button.value === this.chosen));
  }

  // Pointer, finger and arrow keys show the values of one half-hour or group.
  listen() {
    const point = (event) => {
      const x = event.clientX - this.picture.getBoundingClientRect().left;
      const found = [...Array(this.count).keys()].find((n) => {
        const [from, to] = this.slot(n);
        return x >= from && x < to;
      });
      this.show(found ?? null);
    };
    this.picture.addEventListener("pointerdown", point);
    this.picture.addEventListener("pointermove", point);
    this.picture.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.show(null); // a finger is lifted to read
    });
    this.picture.addEventListener("blur", () => this.show(null));
    this.picture.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
      if (event.key === "Escape") this.show(null);
      if (!(event.key in steps)) return;
      event.preventDefault();
      this.show((this.shown ?? (steps[event.key] > 0 ? -1 : this.count)) + steps[event.key]);
    });
  }

  show(place) {
    const n = place === null ? null : Math.min(this.count - 1, Math.max(0, place));
    this.shown = n;
    this.tip.hidden = n === null;
    this.pointer.setAttribute("visibility", n === null ? "hidden" : "visible");
    if (n === null) return;
    const { spec } = this;
    const [from, to] = this.slot(n);
    this.pointer.setAttribute("x", from);
    this.pointer.setAttribute("width", Math.max(1, to - from));
    const rows = this.parts.flatMap((part) => {
      const ahead = part.values[n] === null && part.ahead && part.ahead[n] !== null;
      const value = decimal(ahead ? part.ahead[n] : part.values[n], spec.digits ?? 1);
      return [[part.name, ahead ? `${value} (${spec.ahead})` : value],
        ...(part.low ? [["p10 to p90", part.low[n] === null ? "–"
          : `${decimal(part.low[n])} to ${decimal(part.high[n])}`]] : [])];
    });
    this.tip.replaceChildren(
      htmlElement("strong", {}, spec.times ? at(spec.times[n]) : spec.groups[n]),
      htmlElement("table", {}, htmlElement("tbody", {}, ...rows.map(([name, value]) =>
        htmlElement("tr", {}, htmlElement("th", { scope: "row" }, name),
          htmlElement("td", {}, value))))),
      htmlElement("span", { class: "soft" }, spec.unit),
    );
    const room = this.width - this.tip.offsetWidth;
    const x = (from + to) / 2 > this.width / 2 ? from - this.tip.offsetWidth - 8 : to + 8;
    this.tip.style.left = `${Math.max(0, Math.min(room, x))}px`;
    this.tip.style.top = `${this.picture.offsetTop + this.upper}px`;
  }
}
