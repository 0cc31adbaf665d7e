using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;

namespace Engram.Tests.Retention;

public class BaselineTests
{
    private static readonly ISampleSource s_first = SubsetSource.Balanced(LearnerCases.Digits.Experiences[0].Train, 6);

    [Fact]
    public void From_scratch_learns_each_experience_as_a_new_learner_would()
    {
        using var once = Learner();
        once.Teach(new Experience(1, s_first));
        using var again = Learner(new Reinitialise());
        again.Teach(LearnerCases.Digits.Experiences[0]);
        again.Teach(new Experience(1, s_first));

        Assert.Equal(Weights(once), Weights(again));
    }

    [Fact]
    public void Joint_training_is_training_a_new_learner_on_all_data_so_far()
    {
        var second = LearnerCases.Digits.Experiences[0].Train;
        using var once = Learner();
        once.Teach(new Experience(1, new ConcatSource([s_first, second])));
        using var joint = Learner(new Cumulative(), new Reinitialise());
        joint.Teach(new Experience(0, s_first));
        joint.Teach(new Experience(1, second));

        Assert.Equal(Weights(once), Weights(joint));
    }

    private static Learner Learner(params RetentionMechanism[] mechanisms) =>
        new(() => new ContinualModel(new Mlp(784, 24)), LearnerCases.Options, mechanisms);

    private static float[] Weights(Learner learner) => learner.Context.Arena.Values.data<float>().ToArray();
}
