// Pages are whole without this script. With it, answers grow as they are
// written, and nothing that was typed is lost on the way.
import { clipboard } from "./clipboard";
import { composer } from "./composer";
import { doctor } from "./doctor";
import { keys } from "./keys";
import { list } from "./list";
import { preferences } from "./preferences";
import { stream } from "./stream";
import { thread } from "./thread";

preferences();
clipboard();
list();
thread();
composer();
doctor();
keys();
stream();
