/** Opens a connection and lets go of it. */
import { createConnection } from "node:net"
import * as attempt from "./internal/attempt.js"
import * as goErrors from "./internal/goErrors.js"
import * as ProbeAction from "./ProbeAction.js"
import * as ProbeOutcome from "./ProbeOutcome.js"

/**
 * Prepares an attempt.
 *
 * @category constructors
 */
export const prepare = ({ host, port }: Extract<ProbeAction.ProbeAction, { readonly _tag: "TcpSocket" }>): attempt.Attempt => ({
  run: attempt.make((done) => {
    const socket = createConnection({ host, port })
    socket.once("connect", () => done(ProbeOutcome.success))
    socket.on("error", (error) => done(ProbeOutcome.failure(goErrors.dial(host, port, error))))
    return () => void socket.destroy()
  }),
  timedOut: () => ProbeOutcome.failure(`dial tcp ${ProbeAction.hostPort(host, port)}: i/o timeout`)
})
