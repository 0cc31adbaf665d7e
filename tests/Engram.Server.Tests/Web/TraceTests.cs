using System.Diagnostics;
using System.Threading.Channels;
using Engram.Client;

namespace Engram.Server.Tests.Web;

public sealed class TraceTests : WebTest
{
    [Fact]
    public async Task A_prediction_and_a_lesson_are_one_activity_each()
    {
        var learner = await TaughtAsync(await StartAsync(), Pairs("traced"));
        await learner.FeedbackAsync(Lesson("up", 0, 1), Token);
        var ended = Channel.CreateUnbounded<Activity>();
        var seen = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Engram.Server" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => ended.Writer.TryWrite(activity),
        };
        ActivitySource.AddActivityListener(listener);
        using var mine = new Activity("mine").Start(); // which requests name as what they belong to

        await learner.PredictAsync(LearnerInput.Vector(0, 1), Token);
        await UntilAsync(IsRequest);
        await learner.LearnAsync(cancellationToken: Token);
        await UntilAsync(IsRequest);

        Assert.Equal(2, seen.Count(IsRequest));
        var lesson = Assert.Single(seen, activity => activity.OperationName == "engram.learn" && (string?)activity.GetTagItem("engram.learner") == "traced");
        Assert.Equal(("request", 10), (lesson.GetTagItem("engram.trigger"), lesson.GetTagItem("engram.samples")));

        bool IsRequest(Activity activity) => activity.TraceId == mine.TraceId && activity.Kind == ActivityKind.Server;

        // Of all tests that run meanwhile.
        async Task UntilAsync(Func<Activity, bool> found)
        {
            do seen.Add(await ended.Reader.ReadAsync(Token));
            while (!found(seen[^1]));
        }
    }
}
