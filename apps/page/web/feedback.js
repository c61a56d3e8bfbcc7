// The mirror's rules, read from the server's table: the same arithmetic as apps/expression_rules.py and
// apps/learned_feedback.py, and the coach.

// A reading of a resting face: of the usual one where the child's own (`rest`) is null; a smile's spans are no rest.
function resting(table, name, rest) {
  const usual = table.learned.usualRest[name];
  if (rest?.[name] === undefined || (name in table.spans && smiles(table, rest))) return usual;
  return Math.min(rest[name], usual + (table.restLimits[name] ?? Infinity));
}

// How much of the rule's movement `face` makes, in [0, 1]; `rest` is the child's own resting face, or null.
export function progress(table, { blendshapes, change }, face, rest) {
  const made = blendshapes.reduce((sum, name) => sum + face[name] - resting(table, name, rest), 0) / blendshapes.length;
  return Math.min(Math.max(made / change, 0), 1);
}

// How likely the face shows each emotion, neutral among them. What was not read counts as usual.
export function chances(table, face, rest) {
  const { features, usualRest } = table.learned;
  const values = features.map((name) => face[name] ?? usualRest[name]);
  if (rest) values.push(...features.map((name, i) => values[i] - resting(table, name, rest)));
  const model = Object.entries(table.learned[rest ? "known" : "unknown"]);
  const sums = model.map(([, { bias, weights }]) => bias + weights.reduce((sum, w, i) => sum + w * values[i], 0));
  const top = Math.max(...sums);
  const powers = sums.map((sum) => Math.exp(sum - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return Object.fromEntries(model.map(([emotion], i) => [emotion, powers[i] / total]));
}

// How far from rest the face has come to the emotion: 0 at rest, 1 where it counts as made at this level. A try that began
// with another neutral face (`began`) than the rest starts there.
export function meter(table, emotion, face, rest, level = table.difficulty.usual, began = null) {
  const atRest = Object.fromEntries(table.learned.features.map((name) => [name, resting(table, name, rest)]));
  if (rest && !smiles(table, rest)) for (const name in atRest) atRest[name] = rest[name] ?? atRest[name];
  const oddsOf = (each) => logOdds(chances(table, each, rest)[emotion]);
  const start = Math.max(oddsOf(atRest), began ? oddsOf(began) : -Infinity);
  const threshold = table.learned.thresholds[rest ? "known" : "unknown"][emotion][level];
  const goal = Math.max(logOdds(threshold), start + table.leastRise);
  const way = (oddsOf(face) - start) / (goal - start);
  return Math.min(Math.max((way - table.atRest) / (1 - table.atRest), 0), 1);
}

const LEAST = 0.2; // of a movement: less of it is not spoken of
const TINY = 1e-12;
const logOdds = (chance) => Math.log(Math.max(chance, TINY) / Math.max(1 - chance, TINY));

// What following the rule's hint to the end would add, up to a factor of the emotion.
function gain(table, rule, face, rest) {
  const made = progress(table, rule, face, rest);
  return rule.weight > 0 ? rule.weight * (1 - made) : -rule.weight * made;
}

// The rule whose hint would raise the meter most, of those that are not left out.
export function hint(table, emotion, face, rest, leftOut = []) {
  const gainOf = (rule) => gain(table, rule, face, rest);
  const rules = table.rules[emotion].filter((rule) => !leftOut.includes(rule));
  return rules.reduce((best, rule) => (gainOf(rule) > gainOf(best) ? rule : best));
}

// What the mirror remembers of a child from attempt to attempt.
export class Visit {
  rest = null; // their usual face, as they showed it
  asked = false; // for it
  first = {}; // {emotion: the best of the first try}
  eased = {}; // {emotion: by how much less is asked of it, once a try came to nothing}

  // Ask for the usual face anew.
  forgetRest() {
    Object.assign(this, { rest: null, asked: false });
  }
}

// Whether a face smiles, as the judge sees it.
function smiles(table, { looksHappy }) {
  return (looksHappy ?? -Infinity) > Math.log(table.noRest);
}

// Whether a face that should be at rest smiles or is surprised, as the judge sees it.
export function isNoRest(table, face) {
  return smiles(table, face) || (face.looksSurprised ?? -Infinity) > Math.log(table.noRest);
}

// The first calm moments before the mirror: the average of what is read meanwhile. What smiles or is surprised is asked
// for again; if it then stays so, that is how this face rests.
class UsualFace {
  face = null; // null while it was not calm for long enough
  smiles = false; // it was asked to stop
  #readings = [];
  #calm = 0;
  #waited = 0;
  #askedAgain = 0;

  // Whether to wait for more.
  see(table, face, step) {
    this.#waited += step;
    this.#calm += step;
    this.#readings.push(face);
    const average = meanOf(this.#readings);
    const unsteady = (name) => table.looks.includes(name) || name in table.spans || name.startsWith("eye"); // eyes blink
    const moves = Object.keys(face).filter((name) => !unsteady(name)).map((name) => Math.abs(face[name] - average[name]));
    if (Math.max(...moves) > table.calm) {
      this.#startAgain(face);
    } else if (this.#calm >= table.calmSeconds) {
      if (!isNoRest(table, average) || this.#askedAgain === table.askAgain) {
        this.face = average;
        return false;
      }
      this.smiles = true;
      this.#waited = 0;
      this.#askedAgain += 1;
      this.#startAgain(face);
    }
    return this.#waited < table.askingSeconds;
  }

  #startAgain(face) {
    this.#readings = [face];
    this.#calm = 0;
  }
}

// The average of several readings.
function meanOf(readings) {
  const sum = (name) => readings.reduce((total, each) => total + each[name], 0);
  return Object.fromEntries(Object.keys(readings[0]).map((name) => [name, sum(name) / readings.length]));
}

// Watches a face over time: steady readings, one hint at a time, and praise for an expression that is held.
export class Coach {
  // In a `visit` the usual face is asked for where it is not known, and progress over the first try is praised. After
  // a try that came to nothing less is asked for, where that `eases`.
  constructor(table, emotion, rest, level = table.difficulty.usual, visit = null, eases = true) {
    Object.assign(this, { table, emotion, level, eases });
    this.visit = visit ?? Object.assign(new Visit(), { asked: true });
    this.rest = rest ?? this.visit.rest;
    this.usualFace = this.rest || this.visit.asked ? null : new UsualFace();
    this.settling = this.rest ? [] : null; // the first readings
    this.began = null; // their average, where that is a neutral face
    this.firstTry = this.visit.first[emotion] ?? null; // null: this is it
    this.best = 0;
    this.closer = false; // than the first try
    this.clock = 0; // seconds somebody has looked into the mirror: it stands still in a pause
    this.lastFrame = null;
    this.face = null;
    this.meter = 0;
    this.done = false;
    this.reachedAt = null;
    this.rule = null; // whose hint is given
    this.ruleAt = 0; // since when
    this.ruleMeter = 0; // the meter then
    this.tried = []; // rules whose hints did not help
    this.over = false; // long enough: praise for the try, and on
    this.said = null; // {state, sentence}
    this.saidAt = 0;
    this.away = false;
    this.pause = null;
    this.pausedAt = 0;
  }

  // Blendshapes (null: no face) at a time in seconds, and by how many degrees the face is turned away
  // -> the state, the meter and a sentence {korean, english}.
  see(face, seconds, turned = 0) {
    const { table } = this;
    const step = Math.min(Math.max(seconds - (this.lastFrame ?? seconds), 0), table.gapSeconds);
    this.lastFrame = seconds;
    this.away = turned > (this.away ? table.backDegrees : table.awayDegrees);
    if (!face || this.away) return this.#wait(face ? "away" : "noFace", seconds);
    this.pause = null;
    if (this.usualFace) {
      if (this.usualFace.see(table, face, step)) {
        const message = this.usualFace.smiles ? "restSmiles" : "usualFace";
        return this.#moment({ state: "usualFace", sentence: table.messages[message] });
      }
      this.rest = this.usualFace.face;
      Object.assign(this.visit, { asked: true, rest: this.rest });
      this.usualFace = null;
    }
    this.clock += step;
    if (this.settling) this.#settle(face);
    this.face = this.#smooth(face, step);
    this.meter = this.settling ? 0 : this.#nearness();
    this.best = Math.max(this.best, this.meter);
    const state = this.#judgeState();
    const cameCloser = this.#compare();
    this.#speak(cameCloser && state === "hint" ? "closer" : state);
    return this.#moment(this.said);
  }

  #nearness() {
    const { table, emotion, face, rest, level, began } = this;
    const eased = 1 - (this.visit.eased[emotion] ?? 0);
    return Math.min(meter(table, emotion, face, rest, level, began) / eased, 1);
  }

  // Keep the first try's best; whether this later one just came closer than that.
  #compare() {
    const { table, visit, emotion } = this;
    if (this.firstTry === null) {
      if (this.clock >= table.firstTrySeconds) visit.first[emotion] = this.best;
      return false;
    }
    if (this.closer || this.meter < this.firstTry + table.progress) return false;
    this.closer = true;
    return true;
  }

  // Light, pose and camera are never quite those of the resting face: where the first readings look more neutral than
  // not, the meter begins at them. Whoever makes the expression at once is measured from rest.
  #settle(face) {
    const { table } = this;
    this.settling.push(face);
    if (this.clock < table.settlingSeconds) return;
    const average = meanOf(this.settling);
    this.settling = null;
    if (!isNoRest(table, average) && chances(table, average, this.rest).neutral > table.settlesAt) {
      this.began = average;
    }
  }

  // A try begins at rest. The judge's readings tremble more than the others.
  #smooth(face, step) {
    const { table } = this;
    const before = this.face ?? { ...face, ...this.rest };
    const share = (seconds) => 1 - Math.exp(-step / seconds);
    const [fast, slow] = [share(table.smoothingSeconds), share(table.looksSmoothingSeconds)];
    const smoothed = {};
    for (const name in face) {
      smoothed[name] = before[name] + (table.looks.includes(name) ? slow : fast) * (face[name] - before[name]);
    }
    return smoothed;
  }

  #judgeState() {
    const { table } = this;
    if (this.over) return "goodTry";
    if (this.meter < (this.reachedAt === null ? table.reached : table.released)) {
      this.reachedAt = null;
      const readable = this.clock - this.saidAt >= table.hintSeconds;
      if (!this.done && readable && this.clock >= table.trySeconds) this.#end();
      return this.over ? "goodTry" : "hint";
    }
    this.reachedAt ??= this.clock;
    this.done ||= this.clock - this.reachedAt >= table.holdSeconds;
    return this.done ? "done" : "hold";
  }

  // Nobody is left standing before a bar that does not fill: after a while the try itself is praised.
  #end() {
    const { table, visit, emotion } = this;
    this.over = true;
    if (this.eases) visit.eased[emotion] = Math.min((visit.eased[emotion] ?? 0) + table.easing, table.mostEasing);
  }

  // Say what the state wants said. A hint follows anything but "hold" only when that could be read.
  #speak(state) {
    const sentence = state === "hint" ? this.#hint() : this.table.messages[state];
    const same = this.said?.state === state && this.said.sentence.english === sentence.english;
    const waits = state === "hint" && this.said && this.said.state !== "hold";
    if (same || (waits && this.clock - this.saidAt < this.table.hintSeconds)) return;
    this.said = { state, sentence };
    this.saidAt = this.clock;
  }

  // The hint that matters most; the last one as long as it is nearly that, and another one where it did not help.
  #hint() {
    const { table, face, rest } = this;
    if (this.rule && this.clock - this.ruleAt >= table.otherHintSeconds) {
      if (this.meter < this.ruleMeter + table.progress) this.#tryOther();
      else Object.assign(this, { ruleAt: this.clock, ruleMeter: this.meter });
    }
    const best = hint(table, this.emotion, face, rest, this.tried);
    const [now, most] = [this.rule ?? best, best].map((rule) => gain(table, rule, face, rest));
    if (!this.rule || now < table.stillBest * most) {
      Object.assign(this, { rule: best, ruleAt: this.clock, ruleMeter: this.meter });
    }
    return this.rule;
  }

  // Who does not smile is not asked to stop smiling: where no other hint helps, all are given again.
  #tryOther() {
    const { table, face, rest } = this;
    this.tried.push(this.rule);
    const helps = (rule) => !this.tried.includes(rule) && gain(table, rule, face, rest) > LEAST * Math.abs(rule.weight);
    if (!table.rules[this.emotion].some(helps)) this.tried = [this.rule];
    this.rule = null;
  }

  // Paused: every timer stands still. It is said after a moment only: one frame without a face is no pause.
  #wait(pause, seconds) {
    if (!this.pause) [this.pause, this.pausedAt] = [pause, seconds];
    const said = this.said && seconds - this.pausedAt < this.table.pauseSeconds;
    return this.#moment(said ? this.said : { state: this.pause, sentence: this.table.messages[this.pause] });
  }

  #moment({ state, sentence }) {
    return { state, meter: this.meter, sentence, done: this.done };
  }
}
