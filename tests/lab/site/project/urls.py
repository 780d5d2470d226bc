# SPDX-License-Identifier: Apache-2.0
from django.urls import path

from . import views

urlpatterns = [
    path("", views.index),
    path("health/", views.health),
    path("reports/", views.reports),
    path("stream/", views.stream),
    path("kill/", views.kill),
]
