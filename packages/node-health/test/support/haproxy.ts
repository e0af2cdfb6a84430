/** A real HAProxy of Debian, its sockets in a folder that goes with the scope. */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import * as http from "node:http"
import { connect } from "node:net"
import { join } from "node:path"
import { folder } from "./health.js"

const peers = process.env["REDDWARF_PEERS"]
const program = peers === undefined ? undefined : join(peers, "bin", "haproxy")

/** Whether there is none to test with. Where peers are required, that is an error. */
export const haproxyMissing = (() => {
  if (program !== undefined && existsSync(program)) return false
  const missing = `haproxy is not here (${program === undefined ? "REDDWARF_PEERS is not set" : `no ${program}`})`
  if (process.env["REDDWARF_REQUIRE_PEERS"] === "1") throw new Error(`${missing}, and REDDWARF_REQUIRE_PEERS=1 demands it`)
  process.stderr.write(`SKIPPED: ${missing}; the balancer tests do not run\n`)
  return true
})()

/** A web server that answers with its name. */
export const backend = (name: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<http.Server>((resume) => {
        const server = http.createServer((_request, response) => response.end(name))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    ),
    (server) => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : 0
    }
  )

/** Starts it with these server lines; says who answers, and what it thinks of each server. */
export const start = (servers: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const path = yield* folder
    const front = join(path, "front.sock")
    const control = join(path, "control.sock")
    const file = join(path, "haproxy.cfg")
    writeFileSync(file, `global
  stats socket ${control} mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  retries 0
frontend front
  bind unix@${front}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /health
  http-check expect rstatus ^2
${servers.map((line) => `  server ${line}\n`).join("")}`)
    let log = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(program ?? "", ["-db", "-f", file], { stdio: ["ignore", "pipe", "pipe"] })),
      (child) =>
        Effect.suspend(() =>
          child.exitCode !== null || child.signalCode !== null ? Effect.void : Effect.async<void>((resume) => {
            child.once("close", () => resume(Effect.void))
            child.kill("SIGKILL")
          })
        )
    )
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (log += text))
    const answered = Effect.async<string>((resume) => {
      const request = http.get({ socketPath: front, path: "/", agent: false }, (response) => {
        let body = ""
        response.setEncoding("utf8").on("data", (text: string) => (body += text))
        response.once("end", () => resume(Effect.succeed(response.statusCode === 200 ? body : `status ${response.statusCode ?? 0}`)))
      })
      request.on("error", () => resume(Effect.succeed(child.exitCode === null ? "no connection" : `haproxy ended: ${log}`)))
    })
    /** Who answers eight requests in a row. */
    const rotation = Effect.map(Effect.forEach(Array.from({ length: 8 }), () => answered), (names) => [...new Set(names)].sort().join(","))
    /** `UP`, `DOWN`, `MAINT`, `DRAIN` and so on, by server; weights as well. */
    const states = Effect.async<ReadonlyMap<string, string>>((resume) => {
      let text = ""
      const socket = connect(control)
      socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
      socket.on("error", () => resume(Effect.succeed(new Map())))
      socket.once("close", () => {
        const [header = "", ...lines] = text.replace(/^# /, "").split("\n")
        const columns = header.split(",")
        const at = (line: string, column: string) => line.split(",")[columns.indexOf(column)] ?? ""
        resume(Effect.succeed(new Map(lines.filter((line) => at(line, "pxname") === "nodes").map((line) => [at(line, "svname"), `${at(line, "status")} ${at(line, "weight")}`]))))
      })
      socket.write("show stat\n")
    })
    return { rotation, states, log: () => log }
  })
