import { program } from "program-bundle"
import { defineConfig } from "tsup"

export default defineConfig(program("reddwarf-server"))
