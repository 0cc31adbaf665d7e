using System.Runtime.CompilerServices;
using Engram.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Engram.Server;

/// <summary>What happens to a learner, for those who listen; the last of it is remembered.</summary>
internal sealed partial class LearnerEvents(string learner, TimeProvider clock, ILoggerFactory? logs = null)
{
    private const int MostRemembered = 1000;
    private readonly ILogger _log = (logs ?? NullLoggerFactory.Instance).CreateLogger<LearnerEvents>();
    private readonly Lock _changing = new();
    private readonly Queue<LearnerEvent> _remembered = new();
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _number;
    private bool _ended;

    /// <summary>Tells of something, and logs it unless it is progress.</summary>
    /// <param name="type">What it is.</param>
    /// <param name="message">In words.</param>
    /// <param name="version">Of which version.</param>
    /// <param name="progress">How far.</param>
    /// <param name="problem">Why it failed; for the log alone.</param>
    public void Tell(string type, string message, int? version = null, double? progress = null, Exception? problem = null)
    {
        if (progress is null) Happened(_log, problem is not null || type == "failed" ? LogLevel.Warning : LogLevel.Information, learner, type, version, message, problem);
        TaskCompletionSource told;
        lock (_changing)
        {
            _remembered.Enqueue(new LearnerEvent(++_number, clock.GetUtcNow(), type, version, progress, message));
            if (_remembered.Count > MostRemembered) _remembered.Dequeue();
            (told, _next) = (_next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        told.TrySetResult();
    }

    /// <summary>Ends all listening.</summary>
    public void End()
    {
        lock (_changing) _ended = true;
        _next.TrySetResult();
    }

    /// <summary>What happens from now on, or after an event, as far as it is remembered.</summary>
    public async IAsyncEnumerable<LearnerEvent> FollowAsync(long? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long last;
        lock (_changing) last = after ?? _number;
        while (true)
        {
            LearnerEvent[] news;
            Task next;
            bool ended;
            lock (_changing)
            {
                // A number from before the service was started again is larger than any now: begin anew.
                if (last > _number) last = 0;
                (news, next, ended) = ([.. _remembered.Where(one => one.Number > last)], _next.Task, _ended);
            }
            foreach (var one in news)
            {
                yield return one;
                last = one.Number;
            }
            if (news.Length > 0) continue;
            if (ended) yield break;
            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(EventId = 10, Message = "{Learner}: {Event} (version {Version}): {Says}")]
    private static partial void Happened(ILogger log, LogLevel level, string learner, string @event, int? version, string says, Exception? problem);
}
