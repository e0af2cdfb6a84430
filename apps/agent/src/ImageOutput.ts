/** Images for people and for programs. */
import { Tables } from "@reddwarf/api-types"
import { Digest, type GarbagePolicy, Image, ImageConfig, Platform, PullEvent } from "@reddwarf/images"
import { DateTime, Schema } from "effect"

export const formats = ["table", "json"] as const
export type Format = (typeof formats)[number]

const units = ["B", "KiB", "MiB", "GiB", "TiB"]

/** Bytes in the largest unit of which there is at least one. */
export const size = (bytes: number): string => {
  const unit = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** unit
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit] ?? "B"}`
}

const columns = ["IMAGE", "ID", "PLATFORM", "BRAND", "SIZE", "AGE", "USERS"]

const row = (image: Image.Image, name: string, now: number): ReadonlyArray<string> => [
  name,
  Digest.short(image.id),
  Platform.format(image.platform),
  image.brand ?? "<any>",
  size(image.size),
  Tables.humanDuration(now - image.pulledAt),
  String(image.users.length)
]

const aligned = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? []
  return rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ").trimEnd()).join("\n")
}

/** One line for each name of each image. */
export const table = (images: ReadonlyArray<Image.Image>, now: number): string =>
  images.length === 0
    ? "No images found"
    : aligned([columns, ...images.flatMap((image) => (image.references.length === 0 ? [Image.nameOf(image)] : image.references).map((name) => row(image, name, now)))])

const parse = Schema.decodeSync(Schema.parseJson())

const time = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

const plain = (image: Image.ImageRecord): Record<string, unknown> => ({
  ...image,
  config: parse(new TextDecoder().decode(ImageConfig.encode(image.config))),
  pulledAt: time(image.pulledAt),
  usedAt: image.usedAt === 0 ? null : time(image.usedAt)
})

/** What programs read. */
export const json = (value: unknown): string => JSON.stringify(value, null, 2)

/** Several images, or one. */
export const images = (format: Format, list: ReadonlyArray<Image.Image>, now: number): string =>
  format === "table" ? table(list, now) : json({ kind: "ImageList", items: list.map(plain) })

/** What was removed. */
export const collected = (format: Format, { freed, kept, removed }: GarbagePolicy.Collected): string =>
  format === "json"
    ? json({ kind: "ImagesRemoved", freed, removed: removed.map(plain), kept })
    : [...removed.map((image) => `removed ${Image.nameOf(image)}`), ...kept.map((id) => `kept ${Digest.short(id)}: a clone uses it`), `${size(freed)} freed`].join("\n")

const nothing = () => ""

/** A line on the way of an image; empty for what would be too many lines. */
export const progress: (event: PullEvent.PullEvent) => string = PullEvent.PullEvent.$match({
  Pulling: ({ image }) => `pulling ${image}`,
  Resolved: ({ blobs, digest, image, platform, size: bytes }) => `${image} is ${digest} for ${platform}: ${blobs} layers to fetch, ${size(bytes)}`,
  BlobReady: ({ digest, size: bytes, transferred }) => `layer ${Digest.short(digest)} ${transferred ? "fetched" : "was here"}, ${size(bytes)}`,
  Present: ({ image }) => `${image} is here`,
  Progress: nothing,
  Pulled: nothing,
  Failed: nothing,
  BackOff: nothing
})
