"""The application as gunicorn and the flask command know it."""

from app.joining import create_app
from config.settings import Settings, environment

app = create_app(Settings.from_environment(environment()))
