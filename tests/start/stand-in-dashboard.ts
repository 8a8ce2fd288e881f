import { readConfig } from "#lib/config.ts";
import { standIn } from "./stand-in-part.ts";

standIn("dashboard", readConfig().dashboardPort);
