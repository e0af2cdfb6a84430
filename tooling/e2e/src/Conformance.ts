/** What a conformance case is: one kubectl command and what Kubernetes answers to it. */

export const versions = ["1.20", "1.32", "1.36"] as const
export type Version = (typeof versions)[number]

/** Exact text, or a pattern; where kubectl versions print different texts, one for each. `$NS` stands for the scenario's namespace. */
export type Text = string | RegExp
export type Expected = Text | Readonly<Record<Version, Text>>

/** A command line (blanks separate words, quotes keep them together), with standard input where it has one. */
export type Step = string | readonly [command: string, stdin: string]

export interface Case {
  /** The row in docs/conformance.md. Several cases may share one. */
  readonly verb: string
  /** `$NS` is the scenario's namespace, `$DIR` a folder of its own. */
  readonly command: string
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** What commands print, for `$NAME` in all that follows. */
  readonly variables?: Readonly<Record<string, string>>
  /** Commands that must succeed first. */
  readonly setup?: ReadonlyArray<Step>
  /** Not checked when absent. */
  readonly stdout?: Expected
  /** Must be empty when absent and the exit status is 0. */
  readonly stderr?: Expected
  /** Exit status, 0 when absent. */
  readonly code?: number | Readonly<Record<Version, number>>
  /** Repeats the command until it answers as expected: something in the server has to act first. */
  readonly eventually?: true
  /** How long it may take until then, 40 when absent. */
  readonly seconds?: number
  /** The command goes on: it is interrupted when its standard output matches. */
  readonly until?: RegExp
  /** Commands to run while one with `until` goes on. */
  readonly during?: ReadonlyArray<Step>
  /** A path to read from the local address that the running command printed, before it is interrupted. */
  readonly fetch?: readonly [path: string, body: RegExp]
  /** Further commands and what they must print. */
  readonly after?: ReadonlyArray<readonly [command: string, stdout: Expected]>
  /** kubectl versions that have the verb, all when absent. */
  readonly only?: ReadonlyArray<Version>
  /** The API server cannot do this yet: `stderr` is what a user sees now. */
  readonly notYet?: true
  /** Kubernetes 1.36 refuses this kubectl too (an API version that it no longer serves). */
  readonly refusedTo?: ReadonlyArray<Version>
}

/** Cases in their order, sharing one namespace and, with `files`, a folder. */
export interface Scenario {
  readonly name: string
  /** Written to `$DIR` before the first case. `$NS` is replaced. */
  readonly files?: Readonly<Record<string, string>>
  readonly setup?: ReadonlyArray<Step>
  readonly cases: ReadonlyArray<Case>
}

const isText = (expected: Expected): expected is Text => typeof expected === "string" || expected instanceof RegExp

export const forVersion = (expected: Expected, version: Version): Text => isText(expected) ? expected : expected[version]

/** Splits a command line: blanks separate, single or double quotes keep together. */
export const words = (command: string): ReadonlyArray<string> =>
  Array.from(command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g), ([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"))

export type Outcome = "yes" | "not yet" | "refused" | "no such verb"

const outcome = (one: Case, version: Version): Outcome =>
  one.only?.includes(version) === false ? "no such verb" : one.notYet === true ? "not yet" : one.refusedTo?.includes(version) === true ? "refused" : "yes"

const shown: Readonly<Record<Outcome, string>> = { yes: "yes", "not yet": "**not yet**", refused: "refused", "no such verb": "–" }
const rank: ReadonlyArray<Outcome> = ["not yet", "refused", "yes", "no such verb"]

/** A pattern as a person would write it: `…` where it leaves something open. */
const printed = (text: Text): string =>
  (typeof text === "string" ? text : text.source.replaceAll(/\\n/g, "\n").replaceAll(/\\S\+|\.\*/g, "…").replaceAll(" +", " ").replaceAll(/[\\^$]/g, "")).trim().replaceAll("\n", " ⏎ ")

/** docs/conformance.md: a row for each verb, a column for each kubectl. */
export const render = (scenarios: ReadonlyArray<Scenario>): string => {
  const rows = new Map<string, Array<Case>>()
  for (const one of scenarios.flatMap((scenario) => scenario.cases)) rows.set(one.verb, [...(rows.get(one.verb) ?? []), one])
  const verbs = [...rows.keys()].sort((left, right) => left < right ? -1 : 1)
  const cell = (cases: ReadonlyArray<Case>, version: Version): string => {
    const seen = new Set(cases.map((one) => outcome(one, version)))
    return shown[rank.find((candidate) => seen.has(candidate)) ?? "no such verb"]
  }
  const late = verbs.flatMap((verb) => (rows.get(verb) ?? []).filter((one) => one.notYet === true))
  return [
    "# kubectl conformance",
    "",
    "Written by `tooling/e2e/test/conformance.peers.test.ts` (`UPDATE_CONFORMANCE=1` writes it anew). Each cell stands for commands that the suite runs with that",
    "kubectl against the server, comparing standard output, standard error and exit status with what Kubernetes 1.36 gives.",
    "*refused*: Kubernetes 1.36 refuses it to this kubectl as well, because it asks for an API version that is gone. –: this kubectl has no such verb.",
    "",
    `| command | cases | ${versions.join(" | ")} |`,
    `|---|---|${versions.map(() => "---|").join("")}`,
    ...verbs.map((verb) => {
      const cases = rows.get(verb) ?? []
      return `| ${verb} | ${String(cases.length)} | ${versions.map((version) => cell(cases, version)).join(" | ")} |`
    }),
    "",
    "## Not yet",
    "",
    "What a user sees today:",
    "",
    ...late.flatMap((one) => [
      `- \`kubectl ${one.command}\``,
      ...[...new Set(versions.filter((version) => one.only?.includes(version) !== false).map((version) => printed(forVersion(one.stderr ?? one.stdout ?? "", version))))]
        .map((text) => `  \`${text}\``)
    ]),
    ""
  ].join("\n")
}
