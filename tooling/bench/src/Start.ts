/** Cold starts beside many stored objects: how long until the server answers, until it is ready, and what it holds then. */
import { ObjectStore } from "@reddwarf/store"
import { WriteBehind } from "@reddwarf/apiserver"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { start as startServer, type Started, usage } from "./Server.ts"
import { RawConnection } from "./RawClient.ts"
import { NAMESPACE, pod, PODS, prepare } from "./Pods.ts"

/** One cold start. */
export interface Start {
  readonly pods: number
  /** Bytes of a pod as it is stored. */
  readonly podBytes: number
  readonly started: Started | undefined
  /** Of the server until it was ready. */
  readonly cpuSeconds: number | undefined
  readonly readyMegabytes: number | undefined
  /** Resident memory after ten seconds in which nobody asked for anything. */
  readonly settledMegabytes: number | undefined
}

interface Template {
  readonly metadata: { readonly name: string; readonly uid: string }
}

const encoder = new TextEncoder()
const megabytes = (pid: number | undefined): number | undefined => {
  const bytes = usage(pid)?.residentBytes
  return bytes === undefined ? undefined : bytes / 1e6
}

/** A pod as the server stores it, with its defaults and the bookkeeping of its fields. */
export const stored = async (port: number, home: string): Promise<Template> => {
  const server = await startServer(port, home)
  try {
    await prepare(server)
    const connection = await RawConnection.open(server.target)
    const answer = await connection.request("POST", PODS, pod("template"))
    connection.close()
    if (answer.status !== 201) throw new Error(`create: the server answered ${String(answer.status)} ${answer.body.toString("utf8", 0, 500)}`)
    return JSON.parse(answer.body.toString("utf8")) as Template
  } finally {
    await server.stop()
  }
}

/** Writes the pods into the store itself, as the server would have: it would take minutes otherwise. */
export const fill = (home: string, template: Template, count: number): Promise<number> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      let bytes = 0
      yield* Effect.forEach(Array.from({ length: count }, (_, i) => `pod-${String(i).padStart(6, "0")}`), (name) => {
        const metadata = { ...template.metadata, name, uid: randomUUID() }
        return store.create(`/core/pods/${NAMESPACE}/${name}`, (revision) => {
          const encoded = encoder.encode(`${JSON.stringify({ ...template, metadata: { ...metadata, resourceVersion: String(revision) } })}\n`)
          bytes = encoded.length
          return { bytes: encoded }
        }, { origin: { at: 0, user: "kubernetes-admin", verb: "create" } })
      }, { concurrency: 512, discard: true })
      return bytes
    }).pipe(
      Effect.provide(ObjectStore.layerSqlite({ path: join(home, "data", "store.db"), writeBehind: { prefixes: WriteBehind.prefixes } })),
      Effect.scoped
    )
  )

/** Starts a server on `count` stored pods after another one of them was there before. */
export const measure = async (port: number, count: number): Promise<Start> => {
  const home = mkdtempSync(join(tmpdir(), "reddwarf-start-"))
  try {
    const template = await stored(port, home)
    const podBytes = count === 0 ? 0 : await fill(home, template, count)
    const server = await startServer(port, home)
    const cpuSeconds = usage(server.pid)?.cpuSeconds
    const readyMegabytes = megabytes(server.pid)
    await new Promise((resolve) => setTimeout(resolve, 20_000))
    const settledMegabytes = megabytes(server.pid)
    await server.stop()
    return { pods: count, podBytes, started: server.started, cpuSeconds, readyMegabytes, settledMegabytes }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
