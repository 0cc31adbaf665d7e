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

    [Fact]
    public void Ten_thousand_tiny_experiences_ask_for_no_more_work_late_than_early()
    {
        var train = SubsetSource.Balanced(TestData.Mnist.Train, 2000);
        var stream = ExperienceStream.TaskIncremental(
            train, TestData.Mnist.Test, ClassGroups.Split(Label.Numbers(0, 10), 5)).Online(2, seed: 0);
        Assert.Equal(10_000, stream.Experiences.Count);
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)),
            new LearnerOptions { Scenario = Scenario.TaskIncremental, BatchSize = 2 },
            [new Replay(new ReplayOptions { Capacity = 200, Online = true })]);
        var (managed, tensors) = (new long[10_000], new long[10_000]);
        var live = new long[10_000];
        foreach (var experience in stream.Experiences)
        {
            var (bytes, made) = (GC.GetAllocatedBytesForCurrentThread(), Statistics.CreatedOutsideScopeCount + Statistics.CreatedInScopeCount);
            learner.Teach(experience);
            managed[experience.Index] = GC.GetAllocatedBytesForCurrentThread() - bytes;
            tensors[experience.Index] = Statistics.CreatedOutsideScopeCount + Statistics.CreatedInScopeCount - made;
            live[experience.Index] = Statistics.ThreadTotalLiveCount;
        }
        // What costs time is counted, for clocks lie on busy machines: objects made, tensors made (one per operation), tensors kept.
        var (early, late) = (new Range(2100, 3900), new Range(8100, 9900));
        Assert.Equal(tensors[early].Order().ElementAt(900), tensors[late].Order().ElementAt(900));
        Assert.InRange(managed[late].Order().ElementAt(900) / (double)managed[early].Order().ElementAt(900), 0, 1.05);
        Assert.InRange(live[9_899] - live[2_100], 0, 20); // the experience's own, and rows of the head's tables
    }
}
