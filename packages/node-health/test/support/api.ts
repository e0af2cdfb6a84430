/** An API server that answers as the test wants, also wrongly. */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"

export interface FakeApi {
  readonly url: string
  readonly requests: () => number
  /** What it does from now on. */
  readonly become: (handler: (request: IncomingMessage, response: ServerResponse) => void) => void
}

export const node = (ready: string | undefined, extra: { readonly reason?: string; readonly unschedulable?: boolean; readonly conditions?: ReadonlyArray<Readonly<Record<string, string>>> } = {}) => ({
  kind: "Node",
  apiVersion: "v1",
  metadata: { name: "n1", resourceVersion: "7" },
  spec: extra.unschedulable === undefined ? {} : { unschedulable: extra.unschedulable },
  status: {
    conditions: [
      { type: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory" },
      ...(ready === undefined ? [] : [{ type: "Ready", status: ready, ...(extra.reason === undefined ? {} : { reason: extra.reason }) }]),
      ...(extra.conditions ?? [])
    ]
  }
})

export const answering = (body: unknown, status = 200) => (_request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

export const make = Effect.gen(function*() {
  let handler: (request: IncomingMessage, response: ServerResponse) => void = answering(node("True"))
  let requests = 0
  const sockets = new Set<Socket>()
  const server = yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const created = createServer((request, response) => {
        requests += 1
        handler(request, response)
      })
      created.on("connection", (socket) => {
        sockets.add(socket)
        socket.once("close", () => sockets.delete(socket))
      })
      created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
    }),
    (created) =>
      Effect.async<void>((resume) => {
        created.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
  const address = server.address()
  if (typeof address !== "object" || address === null) return yield* Effect.dieMessage("no address")
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => requests,
    become: (next) => {
      handler = next
    }
  } satisfies FakeApi
})
