import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ZoneName } from "@reddwarf/runtime-illumos"
import { KubeletApi, SupervisorClient, type SupervisorFiles } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { request } from "node:https"
import { join } from "node:path"
import * as certificates from "test-certificates"
import * as h from "./support/harness.js"

const uid = "0001"

const pod: CoreV1.Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid },
  spec: { containers: [{ name: "c" }, { name: "new" }] },
  status: { containerStatuses: [{ name: "new", ready: false, restartCount: 0, image: "", imageID: "", state: { waiting: { reason: "ContainerCreating" } } }] }
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** A node with one pod whose container `c` has run twice, and clients with and without a certificate. */
const setUpAs = (user: string) => Effect.gen(function*() {
  const folders = yield* h.directories
  const issued = yield* certificates.make(user)
  const logs = join(folders.dataDir, "logs")
  const log = join(logs, "c", "1.log")
  mkdirSync(join(logs, "c"), { recursive: true })
  writeFileSync(join(logs, "c", "0.log"), "2026-11-20T22:00:00.000000000Z stdout F before\n")
  const exit = (attempt: number): SupervisorFiles.ExitRecord => ({
    schema: 1, id: `z/c/${attempt}`, attempt, startedAt: 0, finishedAt: 0, exitCode: 0, reason: "Completed"
  })
  let state: SupervisorFiles.ContainerState = { name: "c", phase: "running", attempt: 1, backOffMillis: 0, exits: [exit(0)] }
  const spec: SupervisorFiles.PodSpec = {
    schema: 1,
    pod: { namespace: "default", name: "p", uid },
    zone: ZoneName.make("z"),
    restartPolicy: "Always",
    containers: [],
    backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
    logs: { directory: logs, maxBytes: 1, maxFiles: 5 },
    desired: { state: "run" }
  }
  const supervisor = SupervisorClient.SupervisorClient.of({
    prepare: () => Effect.die("not used"),
    submit: () => Effect.die("not used"),
    stop: () => Effect.die("not used"),
    hold: () => Effect.die("not used"),
    restart: () => Effect.die("not used"),
    started: () => Effect.die("not used"),
    remove: () => Effect.die("not used"),
    follow: () => Effect.die("not used"),
    list: Effect.succeed([uid]),
    isAlive: Effect.succeed(true),
    read: () => Effect.sync(() => Option.some({ spec, state: Option.some({ schema: 1, uid, containers: [state] }) }))
  })
  const api = yield* KubeletApi.make({
    host: "127.0.0.1",
    port: 0,
    tls: { ...issued.server, ca: issued.ca },
    pods: () => [pod]
  }).pipe(Effect.provideService(SupervisorClient.SupervisorClient, supervisor))
  const get = (path: string, options: { readonly anonymous?: boolean; readonly onText?: (text: string) => void } = {}) =>
    Effect.async<Answer, Error>((resume) => {
      const identity = options.anonymous === true ? {} : issued.client
      const outgoing = request({ host: "127.0.0.1", port: api.port, path, ca: issued.ca, agent: false, ...identity }, (response) => {
        let body = ""
        response.setEncoding("utf8")
        response.on("data", (text: string) => {
          body += text
          options.onText?.(body)
        })
        response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body })))
        response.on("error", (error) => resume(Effect.fail(error)))
      })
      outgoing.on("error", (error) => resume(Effect.fail(error)))
      outgoing.end()
      return Effect.sync(() => outgoing.destroy())
    })
  return {
    get,
    logs: (query: string) => get(`/containerLogs/default/p/c${query}`),
    log,
    write: (lines: ReadonlyArray<string>) => appendFileSync(log, lines.map((line, index) => `2026-11-20T22:00:0${index}.500000000Z stdout F ${line}\n`).join("")),
    end: () => {
      state = { ...state, phase: "finished", exits: [exit(1), exit(0)] }
    }
  }
})

const setUp = setUpAs("kube-apiserver-kubelet-client")

const live = <E>(name: string, body: (world: Effect.Effect.Success<typeof setUp>) => Effect.Effect<void, E>) =>
  it.live(name, () => Effect.flatMap(setUp, body).pipe(Effect.scoped, Effect.provide(NodeContext.layer)))

describe("KubeletApi", () => {
  live("serves clients with a certificate of the cluster only", ({ get }) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* get("/healthz"), { status: 200, body: "ok" })
      assert.deepStrictEqual(yield* get("/healthz", { anonymous: true }), { status: 401, body: "Unauthorized" })
      assert.strictEqual(JSON.parse((yield* get("/pods")).body).items.length, 1)
      assert.strictEqual((yield* get("/nothing")).status, 404)
    }))

  it.live("refuses other holders of a certificate, such as another node", () =>
    Effect.flatMap(setUpAs("system:node:other"), ({ get }) =>
      Effect.gen(function*() {
        const answer = yield* get("/pods")
        assert.strictEqual(answer.status, 403)
        assert.include(answer.body, "user=system:node:other")
      })).pipe(Effect.scoped, Effect.provide(NodeContext.layer)))

  live("gives the part of a log that was asked for, across rotated files", ({ log, logs, write }) =>
    Effect.gen(function*() {
      write(["a", "b"])
      renameSync(log, `${log}.1`)
      write(["c", "d"])
      assert.strictEqual((yield* logs("")).body, "a\nb\nc\nd\n")
      assert.strictEqual((yield* logs("?tailLines=3")).body, "b\nc\nd\n")
      assert.strictEqual((yield* logs("?tailLines=0")).body, "")
      assert.strictEqual((yield* logs("?limitBytes=3")).body, "a\nb")
      assert.strictEqual((yield* logs("?sinceTime=2026-11-20T22:00:01Z")).body, "b\nd\n")
      assert.strictEqual((yield* logs("?timestamps=true&tailLines=1")).body, "2026-11-20T22:00:01.500000000Z d\n")
      assert.strictEqual((yield* logs("?previous=true")).body, "before\n")
    }))

  live("follows a log across rotation until the container has ended", ({ end, get, log, write }) =>
    Effect.gen(function*() {
      write(["one"])
      const answer = yield* get("/containerLogs/default/p/c?follow=true", {
        onText: (text) => {
          if (text === "one\n") {
            renameSync(log, `${log}.1`)
            write(["two"])
          }
          if (text === "one\ntwo\n") {
            write(["three"])
            end()
          }
        }
      })
      assert.deepStrictEqual(answer, { status: 200, body: "one\ntwo\nthree\n" })
    }))

  live("refuses in the words of a kubelet", ({ get, logs }) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* get("/containerLogs/default/q/c"), { status: 404, body: `pod "q" does not exist` })
      assert.deepStrictEqual(yield* get("/containerLogs/default/p/x"), { status: 404, body: `container "x" not found in pod "p"` })
      assert.deepStrictEqual(yield* get("/containerLogs/default/p/new"), {
        status: 400,
        body: `container "new" in pod "p" is waiting to start: ContainerCreating`
      })
      assert.deepStrictEqual(yield* get("/containerLogs/default/p/new?previous=true"), {
        status: 400,
        body: `previous terminated container "new" in pod "p" not found`
      })
      assert.strictEqual((yield* logs("?tailLines=-1")).body, "tailLines: Invalid value: -1: must be greater than or equal to 0")
    }))
})
