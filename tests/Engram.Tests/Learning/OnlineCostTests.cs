using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using TorchSharp;

namespace Engram.Tests.Learning;

public class OnlineCostTests
{
    private static LifetimeStatistics Statistics => DisposeScopeManager.Statistics.TensorStatistics;

    [Theory]
    [InlineData("replay", 10_000)]
    [InlineData("online-ewc", 1_000)]
    [InlineData("si", 1_000)]
    [InlineData("lfl", 1_000)]
    public void Thousands_of_tiny_experiences_ask_for_no_more_work_late_than_early(string strategy, int count)
    {
        var train = SubsetSource.Balanced(TestData.Mnist.Train, count / 5);
        var stream = ExperienceStream.TaskIncremental(
            train, TestData.Mnist.Test, ClassGroups.Split(Label.Numbers(0, 10), 5)).Online(2, seed: 0);
        Assert.Equal(count, stream.Experiences.Count);
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)),
            new LearnerOptions { Scenario = Scenario.TaskIncremental, BatchSize = 2 },
            strategy == "replay"
                ? [new Replay(new ReplayOptions { Capacity = 200, Online = true })]
                : Strategies.Named(strategy).Create(new StrategyBudget()));
        var (managed, tensors) = (new long[count], new long[count]);
        var live = new long[count];
        foreach (var experience in stream.Experiences)
        {
            var (bytes, made) = (GC.GetAllocatedBytesForCurrentThread(), Statistics.CreatedOutsideScopeCount + Statistics.CreatedInScopeCount);
            learner.Teach(experience);
            managed[experience.Index] = GC.GetAllocatedBytesForCurrentThread() - bytes;
            tensors[experience.Index] = Statistics.CreatedOutsideScopeCount + Statistics.CreatedInScopeCount - made;
            live[experience.Index] = Statistics.ThreadTotalLiveCount;
        }
        // What costs time is counted, for clocks lie on busy machines: objects made, tensors made (one per operation), tensors kept.
        var (early, late) = (new Range(count * 21 / 100, count * 39 / 100), new Range(count * 81 / 100, count * 99 / 100));
        Assert.InRange(tensors[late].Max(), 0, tensors[early].Max()); // a piece with one label takes a few tensors more than one with two
        Assert.InRange(Median(managed[late]) / (double)Median(managed[early]), 0, 1.05);
        Assert.InRange(live[late][^1] - live[early][0], 0, 20); // the experience's own, and rows of the head's tables
    }

    private static long Median(long[] values) => values.Order().ElementAt(values.Length / 2);
}
