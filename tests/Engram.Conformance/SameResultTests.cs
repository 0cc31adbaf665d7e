using Engram.Learning;
using Engram.Persistence;

namespace Engram.Conformance;

/// <summary>What is learnt depends on the seed alone: not on when learning was run, saved, loaded or cancelled on its way.</summary>
public class SameResultTests
{
    [Theory, MemberData(nameof(ConformanceTests.InEveryScenario), MemberType = typeof(ConformanceTests))]
    public void Saving_loading_and_going_on_equals_not_stopping(string name, Scenario scenario)
    {
        var strategy = Cases.Named(name);
        var options = SmallStream.Options(scenario);
        using var whole = SmallStream.Learner(strategy, options);
        using var first = SmallStream.Learner(strategy, options);
        for (var index = 0; index < 2; index++)
        {
            whole.Learn(SmallStream.Experience(scenario, index));
            first.Learn(SmallStream.Experience(scenario, index));
        }
        var folder = Directory.CreateTempSubdirectory("engram-conformance-");
        try
        {
            Bundle.Save(first, Path.Combine(folder.FullName, "bundle"));
            using var second = SmallStream.Learner(strategy, options);
            Bundle.Restore(second, Path.Combine(folder.FullName, "bundle"));
            Assert.Equal(SmallStream.Scores(whole, scenario, 2), SmallStream.Scores(second, scenario, 2));

            whole.Learn(SmallStream.Experience(scenario, 2));
            second.Learn(SmallStream.Experience(scenario, 2));
            Assert.Equal(SmallStream.Scores(whole, scenario, 3), SmallStream.Scores(second, scenario, 3));
            foreach (var (kept, loaded) in whole.Mechanisms.Zip(second.Mechanisms))
                Assert.Equal(kept.MemoryBytes, loaded.MemoryBytes);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory, MemberData(nameof(ConformanceTests.InOneScenario), MemberType = typeof(ConformanceTests))]
    public void The_same_seed_gives_identical_results_and_another_seed_does_not(string name, Scenario scenario)
    {
        var first = Run(name, scenario, seed: 3);
        Assert.Equal(first, Run(name, scenario, seed: 3));
        Assert.NotEqual(first, Run(name, scenario, seed: 4));
    }

    [Theory, MemberData(nameof(ConformanceTests.InOneScenario), MemberType = typeof(ConformanceTests))]
    public void Cancelling_in_mid_batch_and_going_on_equals_not_stopping(string name, Scenario scenario)
    {
        var strategy = Cases.Named(name);
        var whole = Run(name, scenario, seed: 0);

        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario), clock: new EveryStepClock());
        foreach (var experience in SmallStream.Experiences(scenario))
        {
            // Inside the second step, inside one in the middle and inside the last, after which there is nothing left to stop.
            var stops = new Stops(steps => [2, (steps / 2) + 1, steps]);
            while (!stops.Learn(learner, experience))
            {
                Assert.Contains(learner.Cursor!.Step, stops.Made);
                Assert.DoesNotContain(SmallStream.Scores(learner, scenario, experience.Index + 1), float.IsNaN);
            }
            Assert.NotEmpty(stops.Made);
        }
        Assert.Equal(whole, SmallStream.Scores(learner, scenario, 3));
    }

    private static float[] Run(string name, Scenario scenario, long seed)
    {
        var strategy = Cases.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario, seed));
        foreach (var experience in SmallStream.Experiences(scenario)) learner.Learn(experience);
        return SmallStream.Scores(learner, scenario, 3);
    }
}
