"""The pytest plugin: starts launches for fixtures and runs tests marked with `launch`."""

import functools
import inspect

import pytest
from launch.missing import NotInSubsetError
from launch_pytest.fixture import RunningLaunch

_running = {}  # fixture name -> RunningLaunch; a name has one value at a time


def pytest_configure(config):
    """Declare the marker."""
    config.addinivalue_line(
        "markers", "launch(fixture, shutdown=False): test of a running launch description"
    )


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """Start the launch that a launch fixture describes, and end it with the fixture."""
    outcome = yield
    options = getattr(fixturedef.func, "_launch_options", None)
    if options is None or outcome.excinfo is not None:
        return
    name = fixturedef.argname
    _running[name] = running = RunningLaunch(outcome.get_result(), options, name)

    def finish():
        _running.pop(name, None)
        running.stop()

    fixturedef.addfinalizer(finish)


def _launch_of(item):
    """Return the running launch of a test, or None for a test without the mark."""
    mark = item.get_closest_marker("launch")
    return None if mark is None else _running[mark.kwargs["fixture"].__name__]


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector, name, obj):
    """Collect marked generator functions, which pytest alone refuses."""
    if not inspect.isgeneratorfunction(obj) or not collector.funcnamefilter(name):
        return None
    if any(mark.name == "launch" for mark in getattr(obj, "pytestmark", [])):
        return list(collector._genfunctions(name, obj))
    return None


def pytest_itemcollected(item):
    """Let a marked test use its launch fixture without naming it."""
    mark = item.get_closest_marker("launch")
    if mark is None:
        return
    if mark.kwargs.get("fixture") is None:
        raise pytest.UsageError(f"{item.nodeid}: the launch mark needs fixture=...")
    name = mark.kwargs["fixture"].__name__
    if name not in item.fixturenames:
        item.fixturenames.insert(0, name)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Run tests of what is left after the shutdown behind the other tests of their file."""

    def after_shutdown(item):
        mark = item.get_closest_marker("launch")
        return mark is not None and bool(mark.kwargs.get("shutdown"))

    modules = list(dict.fromkeys(item.path for item in items))
    items.sort(key=lambda item: (modules.index(item.path), after_shutdown(item)))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run coroutine and generator tests; a generator is resumed after the shutdown."""
    running = _launch_of(pyfuncitem)
    if running is not None:
        function = pyfuncitem.obj
        if pyfuncitem.get_closest_marker("launch").kwargs.get("shutdown"):
            running.stop()
        if inspect.isasyncgenfunction(function):
            raise NotInSubsetError("launch_pytest: a test that is an asynchronous generator")
        if inspect.iscoroutinefunction(function):
            pyfuncitem.obj = functools.wraps(function)(lambda **values: running.run(function(**values)))
        elif inspect.isgeneratorfunction(function):
            pyfuncitem.obj = functools.wraps(function)(lambda **values: _resume(running, function(**values)))
    yield


def _resume(running, generator):
    next(generator)
    running.stop()
    for _ in generator:
        raise AssertionError("a launch test may yield only once")


@pytest.fixture
def launch_service(request):
    """The launch service of the test's launch fixture."""
    mark = request.node.get_closest_marker("launch")
    if mark is None:
        raise NotInSubsetError(
            "launch_pytest: 'launch_service' or 'launch_context' in a test without a launch mark"
        )
    request.getfixturevalue(mark.kwargs["fixture"].__name__)
    return _launch_of(request.node).service


@pytest.fixture
def launch_context(launch_service):
    """The launch context of the test's launch fixture."""
    return launch_service.context
