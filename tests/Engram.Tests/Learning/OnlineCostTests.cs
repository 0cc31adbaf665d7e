using System.Diagnostics;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Learning;

public class OnlineCostTests
{
    [Fact]
    public void Ten_thousand_tiny_experiences_do_not_slow_down()
    {
        var train = SubsetSource.Balanced(TestData.Mnist.Train, 2000);
        var stream = ExperienceStream.TaskIncremental(
            train, TestData.Mnist.Test, ClassGroups.Split(Label.Numbers(0, 10), 5)).Online(2, seed: 0);
        Assert.Equal(10_000, stream.Experiences.Count);
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)),
            new LearnerOptions { Scenario = Scenario.TaskIncremental, BatchSize = 2 },
            [new Replay(new ReplayOptions { Capacity = 200, Online = true })]);
        var seconds = new double[10_000];
        foreach (var experience in stream.Experiences)
        {
            var began = Stopwatch.GetTimestamp();
            learner.Teach(experience);
            seconds[experience.Index] = Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
        double Median(int from, int to) => seconds[from..to].Order().ElementAt((to - from) / 2);
        var (early, late) = (Median(2100, 3900), Median(8100, 9900));
        TestContext.Current.TestOutputHelper?.WriteLine($"median of an experience: early {early * 1e6:f0} us, late {late * 1e6:f0} us");
        Assert.True(late < 2 * early, $"an experience took {early * 1e6:f0} us early and {late * 1e6:f0} us late");
    }
}
