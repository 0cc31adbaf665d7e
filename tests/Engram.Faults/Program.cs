using Engram.Faults;
using Engram.Persistence;

// Learns and saves for ever, telling what is safe on disk; the test kills it at any moment.
TorchSharp.torch.set_num_threads(1);
using var learner = Recipe.Learner(args[0]);
Console.WriteLine("ready");
while (true)
{
    learner.Learn(Recipe.Experience(learner.Context.Completed));
    Bundle.Save(learner, args[0]);
    Console.WriteLine(learner.Context.Completed);
}
