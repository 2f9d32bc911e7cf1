"""A client that openapi-python-client made of the OpenAPI document, used as a newcomer would use it.

Everything goes through its functions and types: an account, its tokens, todos, a post, log lines, and
failures as problems. Called by .ci/checks/openapi with the URL of a server; the client is on PYTHONPATH.
"""

import sys
from http import HTTPStatus

from chokepoint_client import AuthenticatedClient, Client
from chokepoint_client.api.auth import (
    post_api_v2_auth_login,
    post_api_v2_auth_logout,
    post_api_v2_auth_refresh,
    post_api_v2_auth_register,
)
from chokepoint_client.api.health import get_health_ready
from chokepoint_client.api.labs import get_api_posts_v2_fast
from chokepoint_client.api.logs import (
    get_api_logs_device_id,
    get_api_stats,
    post_api_log,
    post_api_logs_batch,
)
from chokepoint_client.api.posts import (
    get_api_posts,
    get_api_posts_id,
    get_api_posts_id_comments,
    post_api_posts,
    post_api_posts_id_comments,
)
from chokepoint_client.api.todos import (
    delete_api_v2_todos_id,
    get_api_v2_todos,
    get_api_v2_todos_id,
    post_api_v2_todos,
    put_api_v2_todos_id,
)
from chokepoint_client.models import (
    CommentIn,
    Level,
    LinesIn,
    LogIn,
    LogInLogDataType0,
    LoginIn,
    PostIn,
    Problem,
    RefreshIn,
    RegisterIn,
    TodoIn,
    TodoPatch,
)

PASSWORD = "correct horse"


def got(answer, status):
    """What an answer was parsed to, if it has this status."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.content}"
    return answer.parsed


def refused(answer, status):
    """The problem that an answer is."""
    problem = got(answer, status)
    assert isinstance(problem, Problem) and problem.status == status, problem
    assert problem.request_id == answer.headers["x-request-id"], problem
    return problem


def accounts(url):
    """Registers, logs in, refreshes and logs out; returns a client that is logged in."""
    guest = Client(base_url=url, raise_on_unexpected_status=True)
    account = RegisterIn(username="ada", email="ada@example.com", password=PASSWORD)
    opened = got(post_api_v2_auth_register.sync_detailed(client=guest, body=account), HTTPStatus.CREATED)
    refused(post_api_v2_auth_register.sync_detailed(client=guest, body=account), HTTPStatus.CONFLICT)
    short = RegisterIn(username="x", email="nobody", password="é")
    problem = refused(
        post_api_v2_auth_register.sync_detailed(client=guest, body=short), HTTPStatus.UNPROCESSABLE_ENTITY
    )
    assert [error.field for error in problem.errors] == ["username", "email", "password"], problem

    wrong = LoginIn(email=account.email, password=PASSWORD + "?")
    refused(post_api_v2_auth_login.sync_detailed(client=guest, body=wrong), HTTPStatus.UNAUTHORIZED)
    login = LoginIn(email=account.email, password=PASSWORD)
    session = got(post_api_v2_auth_login.sync_detailed(client=guest, body=login), HTTPStatus.OK)
    assert (session.user_id, session.email) == (opened.user_id, account.email), session

    refresh = RefreshIn(refresh_token=session.refresh_token)
    second = got(post_api_v2_auth_refresh.sync_detailed(client=guest, body=refresh), HTTPStatus.OK)
    assert second.refresh_token != session.refresh_token
    logged_in = AuthenticatedClient(base_url=url, token=second.access_token)
    got(post_api_v2_auth_logout.sync_detailed(client=logged_in), HTTPStatus.NO_CONTENT)
    refused(get_api_v2_todos.sync_detailed(client=logged_in), HTTPStatus.UNAUTHORIZED)
    return AuthenticatedClient(
        base_url=url, token=opened.access_token, raise_on_unexpected_status=True
    )


def todos(client):
    """Create, read, update, delete."""
    made = got(
        post_api_v2_todos.sync_detailed(client=client, body=TodoIn(title="Measure", description=None)),
        HTTPStatus.CREATED,
    )
    assert (made.title, made.description, made.completed) == ("Measure", None, False), made
    read = got(get_api_v2_todos_id.sync_detailed(made.id, client=client), HTTPStatus.OK)
    assert read == made, read
    patch = TodoPatch(title="Measure again", completed=True)
    changed = got(put_api_v2_todos_id.sync_detailed(made.id, client=client, body=patch), HTTPStatus.OK)
    assert (changed.title, changed.completed) == ("Measure again", True), changed
    assert changed.updated_at >= made.created_at
    mine = got(get_api_v2_todos.sync_detailed(client=client, limit=10), HTTPStatus.OK)
    assert mine == [changed], mine
    got(delete_api_v2_todos_id.sync_detailed(made.id, client=client), HTTPStatus.NO_CONTENT)
    refused(get_api_v2_todos_id.sync_detailed(made.id, client=client), HTTPStatus.NOT_FOUND)
    blank = post_api_v2_todos.sync_detailed(client=client, body=TodoIn(title=" "))
    assert refused(blank, HTTPStatus.UNPROCESSABLE_ENTITY).errors[0].field == "title"


def posts(client):
    """A post with a comment, among those that were there."""
    post = PostIn(title="Why p99 lies", body="It does not.")
    made = got(post_api_posts.sync_detailed(client=client, body=post), HTTPStatus.CREATED)
    assert (made.author.username, made.body) == ("ada", post.body), made
    comment = CommentIn(body="It does!")
    got(post_api_posts_id_comments.sync_detailed(made.id, client=client, body=comment), HTTPStatus.CREATED)
    comments = got(get_api_posts_id_comments.sync_detailed(made.id, client=client), HTTPStatus.OK)
    assert [item.body for item in comments.items] == [comment.body], comments
    assert got(get_api_posts_id.sync_detailed(made.id, client=client), HTTPStatus.OK).comments == 1
    page = got(get_api_posts.sync_detailed(client=client, limit=2), HTTPStatus.OK)
    assert page.items[0].id == made.id and page.next_cursor, page
    rest = got(get_api_posts.sync_detailed(client=client, cursor=page.next_cursor), HTTPStatus.OK)
    assert rest.items and made.id not in [item.id for item in rest.items], rest


def logs(client):
    """One line and batches in both forms, with data of any kind."""
    data = LogInLogDataType0.from_dict({"celsius": 21.5, "tags": ["a", {"deep": None}]})
    one = LogIn(device_id="sensor-17", log_level=Level.WARNING, message="valve opened", log_data=data)
    got(post_api_log.sync_detailed(client=client, body=one), HTTPStatus.OK)
    other = LogIn(device_id="sensor-17", log_level="warn", message="valve closed")
    got(post_api_logs_batch.sync_detailed(client=client, body=LinesIn(logs=[other])), HTTPStatus.OK)
    stored = got(post_api_logs_batch.sync_detailed(client=client, body=[one, other]), HTTPStatus.OK)
    assert stored.stored == 2, stored
    lines = got(get_api_logs_device_id.sync_detailed("sensor-17", client=client), HTTPStatus.OK).logs
    assert {line.log_level for line in lines} == {Level.WARNING} and len(lines) == 4, lines
    assert [line.log_data and line.log_data.to_dict() for line in lines][1::2] == [data.to_dict()] * 2
    bad = post_api_log.sync_detailed(
        client=client, body=LogIn(device_id="batch", log_level="loud", message="")
    )
    fields = [error.field for error in refused(bad, HTTPStatus.UNPROCESSABLE_ENTITY).errors]
    assert fields == ["device_id", "log_level", "message"], fields
    assert got(get_api_stats.sync_detailed(client=client), HTTPStatus.OK).devices >= 1


def main():
    [url] = sys.argv[1:]
    client = accounts(url)
    todos(client)
    posts(client)
    logs(client)
    rows = got(get_api_posts_v2_fast.sync_detailed(client=client), HTTPStatus.OK)
    assert len(rows) == 100 and rows[0].additional_properties, rows[:1]
    assert got(get_health_ready.sync_detailed(client=client), HTTPStatus.OK).status == "up"
    print("a generated client did all of it")


main()
