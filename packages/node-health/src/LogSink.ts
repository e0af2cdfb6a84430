/**
 * Log lines that never block the thread that answers. Writing to a pipe or a file waits for whoever reads it or for its disk, so a child
 * process does that; what it does not take in time is dropped and counted.
 */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { type ChildProcess, spawn } from "node:child_process"
import type { HealthMetrics } from "./HealthMetrics.js"

/** Takes bytes without waiting; how many it holds says whether it keeps up. @category models */
export interface Output {
  readonly write: (text: string) => void
  /** Bytes taken and not passed on. */
  readonly pending: () => number
}

/** Bytes that may wait. @category models */
export const maxPending = 262_144

/** A child that copies its input to this process's standard error. It is started again after it ended. */
const copying = (): Output & { readonly end: () => void } => {
  let child: ChildProcess | undefined
  let startedAt = 0
  const current = (): ChildProcess | undefined => {
    if (child !== undefined || performance.now() - startedAt < 1000 && startedAt > 0) return child
    startedAt = performance.now()
    try {
      const started = spawn("/bin/cat", { stdio: ["pipe", process.stderr.fd, "inherit"], cwd: "/", env: {} })
      started.on("error", () => {
        if (child === started) child = undefined
      })
      started.once("exit", () => {
        if (child === started) child = undefined
      })
      started.stdin?.on("error", () => undefined)
      child = started
    } catch {
      child = undefined
    }
    return child
  }
  return {
    write: (text) => void current()?.stdin?.write(text),
    pending: () => current()?.stdin?.writableLength ?? maxPending + 1,
    end: () => void child?.stdin?.end()
  }
}

/** Writes lines to an output, drops those for which there is no room, and counts them. @category constructors */
export const bounded = (output: Output, metrics: HealthMetrics): (line: string) => void => (line) => {
  if (output.pending() + line.length > maxPending) return metrics.add("log_dropped_total")
  return output.write(`${line}\n`)
}

const words: Readonly<Record<string, LogLevel.LogLevel>> = {
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warn: LogLevel.Warning,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  off: LogLevel.None
}

/** The level of a word such as `debug`; info for any other. @category combinators */
export const levelOf = (word: string | undefined): LogLevel.LogLevel => words[(word ?? "info").toLowerCase()] ?? LogLevel.Info

/**
 * The only logger, through a child process that lives as long as the layer.
 *
 * @category layers
 */
export const layer = (metrics: HealthMetrics, level: LogLevel.LogLevel): Layer.Layer<never> =>
  Layer.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(Effect.sync(copying), (output) => Effect.sync(() => output.end())),
      (output) => {
        const write = bounded(output, metrics)
        const logger = Logger.map(Logger.logfmtLogger, write)
        // Instead of every other one: a single one that writes to a terminal or a file could block.
        return Layer.merge(Layer.locallyScoped(FiberRef.currentLoggers, HashSet.make<[Logger.Logger<unknown, unknown>]>(logger)), Logger.minimumLogLevel(level))
      }
    )
  )
