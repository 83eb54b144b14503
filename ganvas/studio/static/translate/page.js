// The page /translate: what goes in is a drawing, a picture or the webcam; what comes out follows it.

import { ask } from "../common/api.js";
import { Intake, sendPicture } from "../common/intake.js";
import { key, make, say } from "../common/shell.js";
import { Socket } from "../common/socket.js";
import { Tasks } from "../common/tasks.js";
import { Doodle } from "./doodle.js";
import { connectLink, readLink, writeLink } from "./entry_link.js";
import { LiveCamera } from "./live_camera.js";
import { Outcome } from "./outcome.js";
import { drawPixels, fetchPicture, fitPicture, readPixels } from "./pixels.js";
import { Requests } from "./requests.js";
import { explainTranslate } from "./translate_meanings.js";
import { $, pressOne, schema, showProblem, state, toSeed } from "./translate_state.js";

