"""`python -m app` is the command `fireside`."""

from app.main import main

raise SystemExit(main())
