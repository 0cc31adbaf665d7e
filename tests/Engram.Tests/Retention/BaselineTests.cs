using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;
using TorchSharp;

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
    public void From_scratch_forgets_batch_statistics_and_a_bundle_inside_an_experience_knows_the_first_ones()
    {
        using var once = Learner(LearnerCases.ModelWithDropout);
        once.Teach(new Experience(1, s_first));
        using var again = Learner(LearnerCases.ModelWithDropout, new Reinitialise(), new Start());
        again.Teach(LearnerCases.Digits.Experiences[0]);
        Assert.NotEqual(Start.Of(again.Context), Start.Fresh);
        again.Teach(new Experience(1, s_first));
        // Dropout draws from where the generator stands, so that only the starts can be compared.
        Assert.Equal([Start.Fresh, Start.Fresh], ((Start)again.Mechanisms[1]).Seen);
        Assert.Equal(Start.Of(once.Context).Last, Start.Of(again.Context).Last);
        Assert.Equal(4 * (again.Context.Arena.Length + 16 + 16) + 8, again.Mechanisms[0].MemoryBytes);

        using var folder = new TemporaryFolder();
        Bundle.Save(again, folder["bundle"]);
        using var third = Bundle.Load(
            folder["bundle"], LearnerCases.ModelWithDropout, LearnerCases.Options, [new Reinitialise(), new Start()]);
        third.Teach(new Experience(2, s_first));
        Assert.Equal([Start.Fresh], ((Start)third.Mechanisms[1]).Seen);
    }

    [Fact]
    public void Gdumb_forgets_batch_statistics_before_it_trains_on_its_memory()
    {
        using var learner = Learner(LearnerCases.ModelWithDropout, new GDumb(new GDumbOptions { Epochs = 1 }), new Start());
        learner.Teach(LearnerCases.Digits.Experiences[0]);
        Assert.NotEqual(Start.Of(learner.Context), Start.Fresh);
        learner.Teach(LearnerCases.Digits.Experiences[1]);
        Assert.Equal([Start.Fresh, Start.Fresh], ((Start)learner.Mechanisms[1]).Seen);
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

    [Fact]
    public void Joint_training_with_tasks_shows_every_sample_the_outputs_of_its_own_task()
    {
        var stream = ExperienceStream.TaskIncremental(
            SubsetSource.Balanced(TestData.Mnist.Train, 60), TestData.Mnist.Test.Balanced(40), ClassGroups.Split(Label.Numbers(0, 10), 5));
        var options = new LearnerOptions { Scenario = Scenario.TaskIncremental, BatchSize = 20, Epochs = 4 };
        using var joint = new Learner(() => new ContinualModel(new Mlp(784, 64)), options, [new Cumulative(), new Reinitialise()]);
        foreach (var experience in stream.Experiences) joint.Teach(experience);
        using var once = new Learner(() => new ContinualModel(new Mlp(784, 64)), options);
        var all = Assert.Single(stream.AtOnce().Experiences);
        once.Teach(all);
        foreach (var learner in new[] { joint, once })
        {
            Assert.Equal(
                Enumerable.Range(0, 10).Select(digit => new ClassKey(digit, digit / 2)), learner.Classes.Classes);
            var accuracy = stream.Tests.Average(test => Evaluator.Accuracy(learner, test));
            Assert.True(accuracy > 0.95, $"{accuracy:f4}, expected above 0.95 (naive about 0.9, all ten outputs about 0.85)");
        }
        using var gated = new Learner(() => new ContinualModel(new Mlp(784, 64)), options, [new ContextDependentGating()]);
        Assert.Contains("samples of several tasks, expected one task id by xdg",
            Assert.Throws<ArgumentException>(() => gated.Teach(all)).Message, StringComparison.Ordinal);
        gated.Teach(stream.Experiences[0]);
    }

    [Fact]
    public void The_loss_of_a_batch_of_several_tasks_is_the_mean_over_the_outputs_of_each_samples_task()
    {
        var stream = ExperienceStream.TaskIncremental(
            SubsetSource.Balanced(TestData.Mnist.Train, 3), TestData.Mnist.Test, ClassGroups.Split(Label.Numbers(0, 6), 2));
        var options = new LearnerOptions { Scenario = Scenario.TaskIncremental, BatchSize = 18 };
        var spy = new LossSpy();
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 8)), options, [spy]);
        learner.Teach(stream.AtOnce().Experiences[0]);
        Assert.Equal(spy.Expected, spy.Loss, 1e-5);
    }

    // One step: compares the loss with that of each sample's three outputs by hand in float64.
    private sealed class LossSpy : RetentionMechanism
    {
        public override string Name => "spy";

        public override Seams Seams => Seams.ExtraLoss;

        public override long MemoryBytes => 0;

        public double Expected { get; private set; }

        public double Loss { get; private set; }

        protected internal override torch.Tensor? ExtraLoss(TrainingStep step)
        {
            var (logits, ids) = (step.Logits.data<float>().ToArray(), step.Current.Targets.data<long>().ToArray());
            Expected = ids.Select((id, row) =>
            {
                var own = Enumerable.Range(0, 6).Where(output => output / 3 == id / 3).Select(output => (double)logits[(row * 6) + output]);
                return Math.Log(own.Sum(Math.Exp)) - logits[(row * 6) + id];
            }).Average();
            Loss = step.Context.Targets.Loss(step.Logits, step.Current).item<float>();
            return null;
        }
    }

    // Sees batch statistics before the first step: sums of means and of variances, batches counted.
    private sealed class Start : RetentionMechanism
    {
        public static readonly (double Means, double Variances, long Last) Fresh = (0, 16, 0);

        public override string Name => "start";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        public List<(double Means, double Variances, long Last)> Seen { get; } = [];

        public static (double Means, double Variances, long Last) Of(LearningContext context)
        {
            using var scope = torch.NewDisposeScope();
            torch.Tensor Buffer(string name) => context.Model.named_buffers().Single(pair => pair.name.EndsWith(name, StringComparison.Ordinal)).buffer;
            return (Buffer("running_mean").sum().item<float>(), Buffer("running_var").sum().item<float>(), Buffer("num_batches_tracked").item<long>());
        }

        protected internal override void BeginExperience(LearningContext context) => Seen.Add(Of(context));
    }

    private static Learner Learner(params RetentionMechanism[] mechanisms) =>
        Learner(() => new ContinualModel(new Mlp(784, 24)), mechanisms);

    private static Learner Learner(Func<ContinualModel> model, params RetentionMechanism[] mechanisms) =>
        new(model, LearnerCases.Options, mechanisms);

    private static float[] Weights(Learner learner) => learner.Context.Arena.Values.data<float>().ToArray();
}
