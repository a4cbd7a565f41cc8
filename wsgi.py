"""The application as gunicorn and the flask command know it."""

from app.joining import create_app
from app.log import log_crashes
from config.settings import Settings, environment

log_crashes()
app = create_app(Settings.from_environment(environment()))
