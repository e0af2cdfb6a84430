/** Runs conformance scenarios with one kubectl and records what does not agree. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Case, type Expected, forVersion, type Scenario, type Step, type Version, words } from "./Conformance.js"
import { type Finished, type Running, startCommand } from "./run.js"
import { waitFor } from "./waitFor.js"

export interface Target {
  readonly program: string
  readonly version: Version
  /** Text of an administrator's kubeconfig with one context. */
  readonly kubeconfig: string
  /** A folder for caches and the scenarios' files. */
  readonly directory: string
}

/** How long the cluster may take to come to what a case expects, in milliseconds. */
const slow = 40_000

/** When a command that does not end is given up, in milliseconds: later than any timeout that a case gives to kubectl itself. */
const hangs = 100_000

class Session {
  private readonly target: Target
  private readonly directory: string
  readonly namespace: string
  private readonly env: Readonly<Record<string, string>>
  private readonly variables = new Map<string, string>()

  constructor(target: Target, scenario: Scenario) {
    this.target = target
    this.namespace = `${scenario.name}-${target.version.replace(".", "-")}`
    this.directory = join(target.directory, this.namespace)
    mkdirSync(this.directory, { recursive: true })
    const kubeconfig = join(this.directory, "kubeconfig")
    writeFileSync(kubeconfig, target.kubeconfig.replace(/^( *)(cluster: \S+\n)( *user:)/m, `$1$2$1namespace: ${this.namespace}\n$3`))
    for (const [name, text] of Object.entries(scenario.files ?? {})) writeFileSync(join(this.directory, name), this.fill(text), { mode: 0o755 })
    this.env = { KUBECONFIG: kubeconfig, HOME: join(target.directory, `home-${target.version}`), KUBECACHEDIR: join(target.directory, `cache-${target.version}`), TERM: "dumb", TZ: "UTC" }
  }

  fill(text: string): string {
    return text.replaceAll(/\$([A-Z]+)/g, (word, name: string) => name === "NS" ? this.namespace : name === "DIR" ? this.directory : this.variables.get(name) ?? word)
  }

  start(step: Step, env: Readonly<Record<string, string>> = {}): Running {
    const [command, stdin] = typeof step === "string" ? [step, undefined] : step
    const filled = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, this.fill(value)]))
    return startCommand(this.target.program, words(command).map((word) => this.fill(word)), {
      cwd: this.directory,
      env: { ...this.env, ...filled },
      ...(stdin === undefined ? {} : { stdin: this.fill(stdin) })
    })
  }

  /** Gives up on a command that does not end: one that hangs must not hold the others. */
  async finish(running: Running): Promise<Finished> {
    const timer = setTimeout(() => { running.kill("SIGKILL") }, hangs)
    const finished = await running.done
    clearTimeout(timer)
    return finished
  }

  async must(step: Step): Promise<string> {
    const finished = await this.finish(this.start(step))
    if (finished.code !== 0) throw new Error(`setup: kubectl ${typeof step === "string" ? step : step[0]} exited with ${String(finished.code)}: ${finished.stderr}${finished.stdout}`)
    return finished.stdout
  }

  differs(what: string, expected: Expected | undefined, got: string): string | undefined {
    if (expected === undefined) return undefined
    const text = forVersion(expected, this.target.version)
    const filled = typeof text === "string" ? this.fill(text) : new RegExp(text.source.replaceAll("\\$NS", this.namespace), text.flags)
    const agrees = typeof filled === "string" ? filled === got : filled.test(got)
    return agrees ? undefined : `${what}: expected ${typeof filled === "string" ? JSON.stringify(filled) : String(filled)}\n  got ${JSON.stringify(got)}`
  }

  private async interrupted(one: Case): Promise<Finished> {
    const running = this.start(one.command, one.env)
    const seen = () => running.stdout() + running.stderr()
    const timer = setTimeout(() => { running.kill("SIGKILL") }, hangs)
    try {
      const address = one.fetch === undefined ? undefined : await waitFor("an address", () => /127\.0\.0\.1:\d+/.exec(running.stdout())?.[0], { seconds: slow / 1000, everyMillis: 50, seen })
      if (one.during !== undefined) {
        await waitFor("output", () => running.stdout() === "" ? undefined : true, { seconds: slow / 1000, everyMillis: 50, seen })
        for (const step of one.during) await this.must(step)
      }
      if (one.fetch !== undefined) {
        const body = await (await fetch(`http://${address ?? ""}${one.fetch[0]}`)).text()
        if (!one.fetch[1].test(body)) throw new Error(`${one.fetch[0]} gave ${body}`)
      }
      await waitFor(`kubectl ${one.command} to print ${String(one.until)}`, () => one.until?.test(running.stdout()) === true ? true : undefined, { seconds: slow / 1000, everyMillis: 50, seen })
    } finally {
      running.kill("SIGINT")
      clearTimeout(timer)
    }
    const finished = await this.finish(running)
    return { ...finished, code: 0 }
  }

  private async attempt(one: Case): Promise<string | undefined> {
    const finished = one.until === undefined
      ? await this.finish(this.start(one.stdin === undefined ? one.command : [one.command, one.stdin], one.env))
      : await this.interrupted(one)
    const code = typeof one.code === "object" ? one.code[this.target.version] : one.code ?? 0
    const findings = [
      finished.code === code ? undefined : `exit status: expected ${String(code)}\n  got ${String(finished.code)}: ${finished.stderr}${finished.stdout}`,
      this.differs("stdout", one.stdout, finished.stdout),
      this.differs("stderr", one.stderr ?? (code === 0 ? "" : undefined), finished.stderr)
    ]
    return findings.find((finding) => finding !== undefined)
  }

  /** What does not agree, or undefined. */
  async check(one: Case): Promise<string | undefined> {
    try {
      for (const [name, command] of Object.entries(one.variables ?? {})) this.variables.set(name, await this.must(command))
      for (const step of one.setup ?? []) await this.must(step)
      const deadline = performance.now() + (one.seconds === undefined ? slow : one.seconds * 1000)
      let finding = await this.attempt(one)
      while (finding !== undefined && one.eventually === true && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 200))
        finding = await this.attempt(one)
      }
      for (const [command, stdout] of one.after ?? []) {
        if (finding !== undefined) break
        const finished = await this.finish(this.start(command))
        finding = this.differs(`after it, kubectl ${command}${finished.stderr === "" ? "" : ` (${finished.stderr})`}`, stdout, finished.stdout)
      }
      return finding
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

const runScenario = async (target: Target, scenario: Scenario, found: Map<Case, string | undefined>): Promise<void> => {
  const session = new Session(target, scenario)
  let broken: string | undefined
  try {
    await session.must(`create namespace ${session.namespace}`)
    for (const step of scenario.setup ?? []) await session.must(step)
  } catch (error) {
    broken = error instanceof Error ? error.message : String(error)
  }
  for (const one of scenario.cases) {
    if (one.only?.includes(target.version) === false) continue
    found.set(one, broken ?? await session.check(one))
  }
}

/** What each case found wrong (undefined: nothing). A few scenarios run at the same time, each in its namespace. */
export const runScenarios = async (target: Target, scenarios: ReadonlyArray<Scenario>): Promise<ReadonlyMap<Case, string | undefined>> => {
  const found = new Map<Case, string | undefined>()
  const queue = [...scenarios]
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await runScenario(target, next, found)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return found
}
