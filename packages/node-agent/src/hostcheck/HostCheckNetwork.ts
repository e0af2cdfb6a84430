/** Checks of the network: links, forwarding, address translation, names, the clock, and the API server. */
import { CommandLine, CommandRunner, Dladm, Fmri, Ipadm, Smf } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import type { Answer, ProbeFailed } from "../node/ApiServerProbe.js"
import { type Check, ok, type Outcome, problem, unknown, warning, worst } from "./HostCheck.js"

type OnHost = Check<CommandRunner.CommandRunner>

const run = (line: CommandLine.CommandLine) => Effect.flatMap(CommandRunner.CommandRunner, (runner) => runner.run(line))

/** Whether there is a link to the outside. @category constructors */
export const links: OnHost = {
  name: "links",
  ask: Effect.map(run(Dladm.showLink), ({ exitCode, stderr, stdout }) => {
    if (exitCode !== 0) return unknown(`the links cannot be listed: ${stderr.trim()}`, "run dladm show-link by hand")
    const physical = stdout.split("\n").map((line) => line.split(":")).filter(([, kind]) => kind === "phys" || kind === "aggr")
    const up = physical.flatMap(([name = "", , , state]) => state === "up" || state === "unknown" ? [name] : [])
    if (up.length > 0) return ok(`${up.join(", ")} up`)
    return physical.length === 0
      ? problem("there is no physical link", "attach a network device, or look in dmesg why none is seen")
      : problem(`no physical link is up: ${physical.map(([name = ""]) => name).join(", ")}`, "check cables and switch ports; see dladm show-phys")
  })
}

/** Whether packets pass between the pods and the outside. @category constructors */
export const forwarding: OnHost = {
  name: "forwarding",
  ask: Effect.gen(function*() {
    const on = yield* Ipadm.make(yield* CommandRunner.CommandRunner).forwarding("ipv4")
    return on
      ? ok("IPv4 forwarding is on")
      : warning("IPv4 forwarding is off", "the agent switches it on while it runs; to have it on from the start: ipadm set-prop -p forwarding=on ipv4")
  })
}

const state = (fmri: Fmri.Fmri) =>
  Effect.gen(function*() {
    const found = yield* Smf.make(yield* CommandRunner.CommandRunner).find(fmri)
    return found?.state
  })

/** Whether addresses are translated: without it pods reach their own node only. @category constructors */
export const translation: OnHost = {
  name: "ipfilter",
  ask: Effect.map(state(Fmri.make("svc:/network/ipfilter:default")), (found) =>
    found === "online"
      ? ok("network/ipfilter is online")
      : found === undefined
      ? problem("there is no service network/ipfilter", "install it (pkg install network/ipfilter), or give pods routable addresses")
      : warning(`network/ipfilter is ${found}`, found === "maintenance" ? "see svcs -x network/ipfilter, correct /etc/ipf/*.conf, then svcadm clear network/ipfilter" : "pods reach nothing outside of the node without it; the agent enables it, or run svcadm enable network/ipfilter"))
}

const nameservers = (text: string): ReadonlyArray<string> =>
  text.split("\n").flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])

/** Whether names are found: that of the API server by the host, all others by pods through the same servers. @category constructors */
export const names = (server: URL | undefined): OnHost => ({
  name: "name-resolution",
  ask: Effect.gen(function*() {
    const { stdout } = yield* run(CommandLine.make("/usr/bin/cat", "/etc/resolv.conf"))
    const servers = nameservers(stdout)
    const configured = servers.length > 0
      ? ok(`name servers ${servers.join(", ")}`)
      : problem("/etc/resolv.conf names no name server", "add a line such as: nameserver 192.0.2.1")
    const host = server?.hostname.replace(/^\[|\]$/g, "")
    if (host === undefined || isIP(host) !== 0) return configured
    const lookup = yield* run(CommandLine.make("/usr/bin/getent", "hosts", host))
    const address = lookup.stdout.trim().split(/\s+/)[0] ?? ""
    return worst([
      configured,
      lookup.exitCode === 0 && address !== ""
        ? ok(`name servers ${servers.join(", ")}; ${host} is ${address}`)
        : problem(`${host} is not found`, `add it to the DNS or to /etc/hosts, and check the line hosts: in /etc/nsswitch.conf`)
    ])
  })
})

const timeServices: ReadonlySet<string> = new Set(["svc:/network/ntp:default", "svc:/network/chrony:default", "svc:/network/ntpsec:default", "svc:/network/openntpd:default"])

/** Leases are good for 40 seconds, and certificates begin at a moment. */
const slightSkewMillis = 3_000
const greatSkewMillis = 30_000

/** How far the clock of this host is from the one that wrote an HTTP date, which has whole seconds. */
const skewOf = (date: string, now: number): number | undefined => {
  const there = Date.parse(date)
  return Number.isNaN(there) ? undefined : Math.max(0, Math.abs(now - there - 500) - 500)
}

/** Whether the clock is kept, and whether it agrees with that of the API server. @category constructors */
export const clock = (ask: Effect.Effect<Answer, ProbeFailed> | undefined): OnHost => ({
  name: "clock",
  ask: Effect.gen(function*() {
    const smf = Smf.make(yield* CommandRunner.CommandRunner)
    const services = yield* smf.list
    const running = services.find(({ fmri, state }) => timeServices.has(fmri) && state === "online")
    const kept: Outcome = running === undefined
      ? warning("no time service is online", "clocks of nodes drift apart: run svcadm enable network/ntp, or chrony where the distribution has that")
      : ok(`kept by ${running.fmri}`)
    if (ask === undefined) return kept
    const answer = yield* Effect.option(ask)
    const skew = answer._tag === "Some" && answer.value.date !== undefined ? skewOf(answer.value.date, yield* Clock.currentTimeMillis) : undefined
    if (skew === undefined) return kept
    const found = `${(skew / 1000).toFixed(1)} s from the clock of the API server`
    const next = "set the clock, and keep it with a time service on both hosts"
    return worst([kept, skew > greatSkewMillis ? problem(found, next) : skew > slightSkewMillis ? warning(found, next) : ok(`${kept.found}, ${found}`)])
  })
})

const certificateProblem = /certificate|CERT_|UNABLE_TO_|SELF_SIGNED|ALTNAME/i

/** Whether the API server answers. @category constructors */
export const apiServer = (server: URL, ask: Effect.Effect<Answer, ProbeFailed>): Check => ({
  name: "api-server",
  ask: ask.pipe(
    Effect.map(({ status, verified }) => {
      const found = `${server.origin} answers with ${status}`
      if (status >= 500) return warning(found, "the server is starting or not well: see its /readyz?verbose")
      return verified ? ok(found) : ok(`${found}; its certificate was not checked, give --kubeconfig for that`)
    }),
    Effect.catchAll((error) =>
      Effect.succeed(problem(
        `${server.origin}: ${error.message}`,
        certificateProblem.test(error.message)
          ? "make the node's kubeconfig anew with reddwarf-server kubeconfig --node, and check the clock and the names in the server's certificate (--tls-san)"
          : "check the address, that the server runs, and routes and firewalls in between"
      )))
  )
})
