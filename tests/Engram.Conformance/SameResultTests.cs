using Engram.Learning;
using Engram.Persistence;

namespace Engram.Conformance;

/// <summary>What is learnt depends on the seed alone: not on when learning was run, saved, loaded or cancelled on its way.</summary>
public sealed class SameResultTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("engram-conformance-");

    private string Saved => Path.Combine(_folder.FullName, "bundle");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(ConformanceTests.InOneScenario), MemberType = typeof(ConformanceTests))]
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
        Bundle.Save(first, Saved);
        using var second = SmallStream.Learner(strategy, options);
        Bundle.Restore(second, Saved);
        Assert.Equal(SmallStream.Scores(whole, scenario, 2), SmallStream.Scores(second, scenario, 2));

        whole.Learn(SmallStream.Experience(scenario, 2));
        second.Learn(SmallStream.Experience(scenario, 2));
        Assert.Equal(SmallStream.Scores(whole, scenario, 3), SmallStream.Scores(second, scenario, 3));
        foreach (var (kept, loaded) in whole.Mechanisms.Zip(second.Mechanisms))
            Assert.Equal(kept.MemoryBytes, loaded.MemoryBytes);
    }

    [Theory, MemberData(nameof(ConformanceTests.InOneScenario), MemberType = typeof(ConformanceTests))]
    public void The_same_seed_gives_identical_results_and_another_seed_does_not(string name, Scenario scenario)
    {
        var first = Run(name, scenario, seed: 3);
        Assert.Equal(first, Run(name, scenario, seed: 3));
        Assert.NotEqual(first, Run(name, scenario, seed: 4));
    }

    [Theory, MemberData(nameof(ConformanceTests.InOneScenario), MemberType = typeof(ConformanceTests))]
    public void Cancelling_in_mid_batch_and_going_on_in_memory_or_from_a_bundle_equals_not_stopping(string name, Scenario scenario)
    {
        var whole = Run(name, scenario, seed: 0);

        var learner = New();
        try
        {
            foreach (var experience in SmallStream.Experiences(scenario))
            {
                // Inside the second step, inside one in the middle and inside the last, after which there is nothing left to stop.
                var stops = new Stops(steps => [2, (steps / 2) + 1, steps]);
                while (!stops.Learn(learner, experience))
                {
                    Assert.Contains(learner.Cursor!.Step, stops.Made);
                    Assert.DoesNotContain(SmallStream.Scores(learner, scenario, experience.Index + 1), float.IsNaN);
                    // The second time it goes on as it is.
                    if (stops.Made.Count != 2) GoOnFromBundle();
                }
                Assert.NotEmpty(stops.Made);
            }
            Assert.Equal(whole, SmallStream.Scores(learner, scenario, 3));
        }
        finally
        {
            learner.Dispose();
        }

        Learner New() => SmallStream.Learner(Cases.Named(name), SmallStream.Options(scenario), clock: new EveryStepClock());

        void GoOnFromBundle()
        {
            using (learner) Bundle.Save(learner, Saved);
            learner = New();
            Bundle.Restore(learner, Saved);
        }
    }

    private static float[] Run(string name, Scenario scenario, long seed)
    {
        var strategy = Cases.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario, seed));
        foreach (var experience in SmallStream.Experiences(scenario)) learner.Learn(experience);
        return SmallStream.Scores(learner, scenario, 3);
    }
}
