import { RemoteCommand } from "@reddwarf/streaming"
import { Console, Effect, Either, FiberSet } from "effect"
import { createServer } from "node:http"
import { pipeline } from "node:stream/promises"
import { WebSocket } from "ws"

/** The container's only command: it sends back what it reads. */
const echo = ({ stdin, stdout }: RemoteCommand.Channels): Effect.Effect<RemoteCommand.Outcome> =>
  Effect.as(Effect.promise(() => pipeline(stdin, stdout)), { _tag: "Exited", exitCode: 0 })

/** What a kubelet does with `GET /exec/...`, and what kubectl says to it. */
const program = Effect.gen(function*() {
  const run = yield* FiberSet.makeRuntime()
  const server = createServer().on("upgrade", (request, socket, head) => {
    const { searchParams } = new URL(request.url ?? "/", "http://node")
    const options = Either.getOrThrow(RemoteCommand.parseOptions(searchParams))
    run(RemoteCommand.serve({ request, socket, head }, options, echo))
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close())
  )
  const address = server.address()
  const port = typeof address === "object" ? address?.port : undefined

  const client = new WebSocket(`ws://127.0.0.1:${port}/exec/default/web/main?input=1&output=1`, ["v5.channel.k8s.io"])
  const names = ["stdin", "stdout", "stderr", "error"]
  client.on("open", () => {
    client.send("\0hello")
    client.send(Buffer.from([255, 0]))
  })
  const heard: Array<string> = []
  client.on("message", (message: Buffer) => {
    if (message.length > 1) heard.push(`${names[message[0] ?? 0]}: ${message.subarray(1).toString()}`)
  })
  yield* Effect.async<void>((resume) => void client.on("close", () => resume(Effect.void)))
  yield* Effect.forEach(heard, (line) => Console.log(line))
})

await Effect.runPromise(Effect.scoped(program))
